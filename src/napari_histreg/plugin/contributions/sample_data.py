"""File > Open Sample: pairs to try the plugin with."""

from napari_histreg.plugin.contributions.readers import link_when_added, read_slides
from napari_histreg.plugin.layers.slides import LayerData, slide_layers
from napari_histreg.plugin.user_folders import cache_folder

__all__ = ["demo_pair_layers", "phantom_pair_layers", "phantom_projection_layers"]

PHANTOM_PX = 20_000


def demo_pair_layers() -> list[LayerData]:
    """Open the demo pair: real tissue, brightfield and fluorescence, turned and mirrored."""
    from napari_histreg.samples import demo_pair

    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    pair = demo_pair(folder)
    return [*read_slides(pair.fixed), *read_slides(pair.moving)]


def phantom_pair_layers() -> list[LayerData]:
    """Open a phantom pair of 20 000 px; only what is looked at is computed."""
    from napari_histreg.samples import phantom_pair

    pair = phantom_pair(PHANTOM_PX)
    link_when_added()
    return [*slide_layers(pair.fixed), *slide_layers(pair.moving)]


def phantom_projection_layers() -> list[LayerData]:
    """Open 180 projections of a phantom with jitter."""
    from napari_histreg.plugin.layers.projections import series_layer
    from napari_histreg.projections import open_projections
    from napari_histreg.samples import phantom_projections

    scan = phantom_projections()
    return [series_layer(open_projections(scan.frames, scan.angles_deg, kind="absorption"))]
