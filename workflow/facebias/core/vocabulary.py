"""What figures, tables and the report call things in print.

A name that is not listed is printed as it is, so a new architecture needs no entry here.
"""

from __future__ import annotations

NAMES = {
    # architectures
    "vgg16": "VGG16",
    "vggface": "VGGFace",
    "resnet50": "ResNet50",
    "senet50": "SENet50",
    "cnn3d": "3D-CNN",
    "resnet3d": "ResNet3D",
    # methods of explanation
    "lrp": "layer-wise relevance propagation",
    "lrp_alpha2_beta1": "layer-wise relevance propagation (alpha 2, beta 1)",
    "integrated_gradients": "integrated gradients",
    "gradient_shap": "gradient SHAP",
    # regions of the face
    "units": "own Action Units",
    "cheeks": "cheeks and chin",
    "hair": "hair and outline",
    # metrics
    "accuracy": "accuracy",
    "tpr": "true positive rate",
    "fpr": "false positive rate",
    "precision": "precision",
    "f1": "F1 score",
    "f1_macro": "F1 score, mean over labels",
    "f1_weighted": "F1 score, weighted by positives",
    "f1_skew_normalised": "skew-normalised F1 score",
    "f1_skew_normalised_macro": "skew-normalised F1 score, mean over labels",
    "tpr_macro": "true positive rate, mean over labels",
    "auc_macro": "area under the ROC curve, mean over labels",
    "balanced_accuracy": "balanced accuracy",
    "balanced_accuracy_macro": "balanced accuracy, mean over labels",
    "selection_rate": "selection rate",
    "auc": "area under the ROC curve",
    # measures of confounds
    "label_share": "share of the label",
    "cramers_v": "Cramer's V",
    "normalised_mutual_information": "normalised mutual information",
    "left_out": "share of samples left out",
    "detection_probability": "certainty of face detection",
    "face_size": "size of the face in pixels",
    "key_frame_span": "frames from first to last key frame",
    "brightness": "brightness of the face",
    "contrast": "contrast of the face",
    "sharpness": "sharpness of the face",
    # criteria
    "equal_opportunity": "equal opportunity",
    "equalized_odds": "equalized odds",
    "accuracy_gap": "accuracy gap",
    "balanced_accuracy_gap": "balanced accuracy gap",
    "demographic_parity": "demographic parity",
    "f1_gap": "F1 gap",
    "f1_skew_normalised_gap": "skew-normalised F1 gap",
    "auc_gap": "ROC area gap",
    # definitions
    "published": "as published",
    "per_class_mean": "mean of absolute gaps per label",
    "worst_class": "largest gap of any label",
    "signed": "signed mean over labels",
    "absolute": "size of the mean over labels",
    "per_label": "gap of a single label",
}

# Metrics whose mean over labels has a name of its own: figures and tables put both together.
MEANS = {
    "f1": "f1_macro",
    "f1_skew_normalised": "f1_skew_normalised_macro",
    "balanced_accuracy": "balanced_accuracy_macro",
    "auc": "auc_macro",
}


def printed(name: object) -> str:
    """Return the name that ``name`` has in print."""
    return NAMES.get(str(name), str(name).replace("_", " "))


def printed_pair(pair: tuple[str, str], between: str = " \u2212 ") -> str:
    """Name two groups in print, the first minus the second."""
    return between.join(map(printed, pair))
