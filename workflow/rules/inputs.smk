# Input functions, and other functions of the wildcards that rules share. Nothing here runs a job.
from facebias.models.architectures import formats
from facebias.presentation.figures import catalogue


def located_faces(wildcards):
    """List the table of the faces that are found already: none or one."""
    if wildcards.variant not in slices.faces_of:
        return []
    first = slices.faces_of[wildcards.variant]
    return expand(rules.locate.output, variant=first, shard=wildcards.shard)


def clips_of(wildcards):
    """Return the index of the clips that an architecture sees."""
    return INDEX_OF[wildcards.architecture]


def excluded_of(wildcards):
    """Return the table of the samples that an architecture does not see."""
    ending = targets.endings[wildcards.architecture]
    return expand(rules.index.output.excluded, variant=ending)


def weights_of(wildcards):
    """Return what the configuration says of an architecture's pretrained weights."""
    return STUDY.architectures[wildcards.architecture].weights


def weights_address(wildcards):
    """Return the address of an architecture's pretrained weights; None: they lie on a disk."""
    return formats.address(weights_of(wildcards), targets.network_of(wildcards.architecture))


def weights_digest(wildcards):
    """Return the checksum that the file at that address must have, if it is known."""
    return formats.digest(weights_of(wildcards), targets.network_of(wildcards.architecture)) or []


def weights_file(wildcards):
    """Return the file of an architecture's pretrained weights, as it was published."""
    fetched = weights_address(wildcards) is not None
    return rules.fetch_weights.output if fetched else weights_of(wildcards).source


def pretrained(wildcards):
    """List the converted weights that training starts from: none or one."""
    if not weights_of(wildcards):
        return []
    owner = slices.weights_of[wildcards.architecture]
    return expand(rules.convert_weights.output, architecture=owner)


def fixed_features(wildcards):
    """List the index of the features that all models of an architecture share: none or one."""
    if not STUDY.architectures[wildcards.architecture].has_fixed_features:
        return []
    owner = slices.features_of[wildcards.architecture]
    return expand(rules.features.output.index, architecture=owner)


def predictions_to_pair(wildcards):
    """List the predictions of one architecture on the train splits compared by one attribute."""
    pairs = targets.paired(wildcards.attribute)
    return expand(
        rules.cell_predictions.output,
        architecture=wildcards.architecture,
        train_split=[name for names in pairs for name in names],
    )


def read(figure):
    """Return the function that names the inputs of a kind of figure."""
    return lambda wildcards, input: figure.read(input)


def selected(figure):
    """Return the function that lists what is selected in a kind of figure."""

    def select(wildcards):
        more = {name: SELECTED[name](wildcards) for name in figure.select}
        return catalogue.pairs({**wildcards, **more})

    return select


def numbered(wildcards):
    """Return a figure of a paper."""
    return targets.numbered_figures[int(wildcards.number)]


def numbered_kind(wildcards):
    """Return what draws it."""
    return numbered(wildcards).drawing


def numbered_sources(wildcards):
    """Return the digests of the files behind it."""
    return sources("figure", catalogue.FIGURES[numbered_kind(wildcards)].module)


def numbered_inputs(wildcards):
    """Return the results that it is drawn from."""
    item = numbered(wildcards)
    model = {
        name: values[0] for name, values in item.keep.items() if name in targets.explained_models
    }
    found = catalogue.FIGURES[item.drawing].inputs(RESULTS)
    return {name: expand(files, **model) for name, files in found.items()}


def numbered_read(wildcards, input):
    """Return the names of those results."""
    return catalogue.FIGURES[numbered_kind(wildcards)].read(input)


def numbered_selected(wildcards):
    """List what is selected in it."""
    return catalogue.pairs(numbered(wildcards).select)


def numbered_kept(wildcards):
    """List the rows that it is drawn from."""
    item = numbered(wildcards)
    declared = DECLARED if catalogue.FIGURES[item.drawing].by_architecture else {}
    return catalogue.pairs({**item.keep, **declared})


def numbered_note(wildcards):
    """Return what is said first under it."""
    return numbered(wildcards).caption


def printed_cell(wildcards):
    """List the rows of the printed metrics of one train and test split."""
    return catalogue.pairs(
        {
            "train_split": wildcards.train_split,
            "test_split": wildcards.test_split,
            "metric": targets.printed_metrics,
        }
    )


def printed_gaps(wildcards):
    """List the rows of the printed gaps by one attribute."""
    return catalogue.pairs({"attribute": wildcards.attribute})
