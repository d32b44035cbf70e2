# Which clips each architecture sees, and what architectures share. Nothing here runs a job.

# What ends the names of the clips that an architecture sees, and of what is known of them: nothing
# where it sees `clips` without its variants.
ENDING = {name: architecture.ending for name, architecture in STUDY.architectures.items()}
CLIPS = {
    ENDING[name]: STUDY.clips.of(architecture.clips)
    for name, architecture in STUDY.architectures.items()
}
# Where one study needs one set of clips: to say whom it is about, and how well they are seen.
FIRST_CLIPS = ENDING[ARCHITECTURES[0]]


wildcard_constraints:
    variant=f"({'|'.join(CLIPS)})",


def network_of(architecture):
    """Return the name of the network that an architecture is."""
    return STUDY.architectures[architecture].called(architecture)


def converted(name):
    """Return what the converted weights of one architecture depend on."""
    architecture = STUDY.architectures[name]
    backbone = dataclasses.replace(architecture.backbone, frames=None, frozen="none")
    return settings(
        backbone=dataclasses.replace(backbone, network=network_of(name)),
        weights=architecture.weights,
    )


def extracted(name):
    """Return what the features of a frozen network depend on, beside weights and clips."""
    architecture = STUDY.architectures[name]
    backbone = dataclasses.replace(architecture.backbone, network=network_of(name))
    return settings(backbone=backbone, device=architecture.training.device)


def first_alike(*facts):
    """Map every architecture to the first one with the same facts, whose files it shares."""
    firsts = {}
    return {
        name: firsts.setdefault(tuple(fact(name) for fact in facts), name) for name in ARCHITECTURES
    }


WEIGHTS_OF = first_alike(converted)
FEATURES_OF = first_alike(converted, extracted, ENDING.get)
LOCATING = {variant: settings(locating=clips.locating) for variant, clips in CLIPS.items()}
# Variants that look for the same faces, by the first of them: those are looked for once.
SHARED = {
    first: alike
    for first, located in LOCATING.items()
    if len(alike := [one for one, other in LOCATING.items() if other == located]) > 1
    and first == alike[0]
}
FACES_OF = {variant: first for first, alike in SHARED.items() for variant in alike}


def clip_settings(wildcards):
    """Return what the clips of one variant depend on."""
    return settings(clips=CLIPS[wildcards.variant])


def locating_settings(wildcards):
    """Return what is the same for the variants that share their faces."""
    return LOCATING[wildcards.variant]


def located_faces(wildcards):
    """List the table of the faces that are found already: none or one."""
    if wildcards.variant not in FACES_OF:
        return []
    return expand(rules.locate.output, variant=FACES_OF[wildcards.variant], shard=wildcards.shard)


def faces_option(wildcards, input):
    """Return the option that names it."""
    return f"--faces {input.located}" if input.located else ""


def clips_of(wildcards):
    """Return the index of the clips that an architecture sees."""
    return INDEX_OF[wildcards.architecture]


def excluded_of(wildcards):
    """Return the table of the samples that an architecture does not see."""
    return expand(rules.index.output.excluded, variant=ENDING[wildcards.architecture])


# What each architecture is and sees, for the figure that compares variants of the clips.
VARIANTS = {
    name: {
        "network": network_of(name),
        "clips": architecture.clips,
        "margin": CLIPS[ENDING[name]].margin,
        "key_frames": CLIPS[ENDING[name]].frames,
    }
    for name, architecture in STUDY.architectures.items()
}
# Networks on further variants of the clips show how much hangs on these; what a study declared
# beforehand to ask stays the same.
DECLARED_ARCHITECTURES = [
    name
    for place, (name, one) in enumerate(VARIANTS.items())
    if not any(
        one["network"] == other["network"] and one["clips"] != other["clips"]
        for other in list(VARIANTS.values())[:place]
    )
]
# The rows of these; figures with a panel for every architecture have room for no more.
DECLARED = f"architecture={','.join(DECLARED_ARCHITECTURES)}"
