"""Single pictures of things, for learning to say what they are: VGG16's pretraining. [ours]

Squares around the actors of generated clips, and around the outlined things of a folder of
photographs. A class is an actor (adult, baby, ball ...) or a category of the photographs.
"""

import torch

from actseg_core.datasets.action_clips import ActionClips
from actseg_core.datasets.loading import Batch, ClipDataset, Draw
from actseg_core.datasets.samples import Part, Sample, sample_rng
from actseg_core.generator.photographs import PhotographedThings, square_picture
from actseg_core.labels import pair_from_label


class ImageCrops(ClipDataset):
    """First the actors of generated clips, then the photographed things of the known classes.

    `Batch.samples[i].sentence` is the class; there are neither words nor masks worth reading.

    Args:
        actors: Clips of one frame.
        photographs: Of the same split.
        classes: As `image_classes` gives them.
        crop_px: Side of the pictures [px].
        random: Whether squares are moved and resized, and pictures mirrored.
        seed: Of these random numbers.
    """

    def __init__(
        self,
        actors: ActionClips,
        photographs: PhotographedThings,
        classes: tuple[str, ...],
        crop_px: int,
        *,
        random: bool,
        seed: int,
    ) -> None:
        known = [item for item in photographs.samples if item.sentence in classes]
        samples = [*map(_named, actors.dataset.samples), *known]
        super().__init__(Part(actors.dataset, samples), actors.config, seed=seed)
        self._actors, self._photographs = actors, photographs
        self._crop, self._random = crop_px, random

    def __getitem__(self, draw: int | Draw) -> Batch:
        """One picture, of epoch 0 or of the given epoch.

        Raises:
            ActSegError: If it cannot be read.
        """
        epoch, index = draw if isinstance(draw, tuple) else (0, draw)
        sample = self.dataset.samples[index]
        if index < len(self._actors):
            frames = self._actors[epoch, index].frames
        else:
            rng = sample_rng(self.seed, epoch, index) if self._random else None
            box = self._photographs.boxes[sample.instance]
            picture = square_picture(self._photographs.picture(sample), box, self._crop, rng)
            frames = torch.from_numpy(picture)[None, None]
        return Batch(
            frames=frames,
            flow=None,
            masks=torch.empty(1, 0, dtype=torch.bool),
            words=None,
            samples=(sample,),
            placements=(),
            truths=(),
        )


def _named(sample: Sample) -> Sample:
    """The actor in place of actor and action."""
    actor = pair_from_label(sample.instance).actor_name
    return Sample(actor, sample.video, sample.frame, sample.instance)
