"""Long figures of groups: a stack of sections with truth, a group with landmarks, ten large slides.

    python benchmarks/groups.py stack [--sections 60] [--folder DIR]
    python benchmarks/groups.py lesions FOLDER [--foreign SLIDE]
    python benchmarks/groups.py large [--slides 10] [--size 20000] [--files DIR] [--folder DIR]

Links are kept in DIR, so that a second run says what the solution alone takes. Times are those of this
machine; CPU seconds (user and system) say more where others work on it.
"""

import argparse
import itertools
import resource
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from napari_histreg import GroupRegistration, open_slide, register_group
from napari_histreg.geometry import FloatArray
from napari_histreg.groups.assembly import Assembled, assemble
from napari_histreg.groups.wishes import Wishes
from napari_histreg.progress import Progress
from napari_histreg.records.record import SlideRecord
from napari_histreg.samples.stack import phantom_stack
from napari_histreg.slides import Slide, write_slide
from napari_histreg.transforms import Affine, Similarity
from napari_histreg.warping import select_channels


def watched(start: float) -> Progress:
    """Say every half minute how far it is."""
    last = [perf_counter()]

    def report(fraction: float, message: str) -> None:
        if perf_counter() - last[0] > 30:
            last[0] = perf_counter()
            print(f"  {perf_counter() - start:6.0f} s {100 * fraction:5.1f} %  {message}", flush=True)

    return report


def timed(what: str, run: Callable[[Progress], GroupRegistration]) -> GroupRegistration:
    start, cpu = perf_counter(), process_time()
    group = run(watched(start))
    words = [member.verdict for member in group.members]
    states = [link.state for link in group.links]
    print(
        f"{what}: {perf_counter() - start:.0f} s, {process_time() - cpu:.0f} CPU s, "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GB; "
        + ", ".join(f"{words.count(word)} {word}" for word in ("accepted", "doubtful", "refused"))
        + f"; {len(states)} links, {states.count('used')} used, {states.count('contradicted')} contradicted"
    )
    return group


def spread(size_um: float) -> FloatArray:
    """Points over the inner part of a section, where there is tissue."""
    line = np.linspace(0.3, 0.7, 7) * size_um
    return np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)


def stack(arguments: argparse.Namespace) -> None:
    """Sections turned by up to 10 degrees and shifted by up to 500 µm, 5 % damaged, three destroyed, one
    over."""
    count = arguments.sections
    destroyed = tuple(sorted({count // 4, count // 2 + 2, 5 * count // 6}))
    over = (count // 3,)
    made = phantom_stack(count, destroyed=destroyed, upside_down=over, seed=arguments.seed)
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder or Path(scratch)
        for model in ("rigid", "affine"):
            group = timed(
                f"stack of {count}, {model}",
                lambda progress, model=model: register_group(
                    made.slides, order="given", model=model, folder=folder, progress=progress
                ),
            )
            refused = tuple(k for k in range(count) if group.verdict(k) == "refused")
            print(f"  destroyed {destroyed}, refused {refused}; standard error of links {group.noise}")
            records = [SlideRecord.of(slide) for slide in made.slides]
            chain = [link for link in group.links if link.counts]
            near = whole_chain(chain, [k for k in range(count) if k not in refused])
            alone = assemble(records, near, Wishes(ordered=True, frame=group.template, model=model))
            ours = {k: group.frame_to(k) for k in group.placed}
            theirs = {
                k: m.frame_to_slide for k, m in enumerate(alone.members) if m.frame_to_slide is not None
            }
            for name, transforms in (("all links", ours), ("chain alone", theirs)):
                told(name, errors(made, transforms, group.template))


def whole_chain(links: list, sections: list[int]) -> list:
    """Only links between neighbours, destroyed sections left out."""
    wanted = set(itertools.pairwise(sections))
    return [link for link in links if link.ends in wanted]


def errors(made, transforms, template: int) -> dict[int, float]:
    """Error of each section in the template's frame, in pixels of the overview: root mean square over its
    tissue."""
    side = made.slides[0].size[0]
    points, pixel = spread(side), side / 768
    found = {}
    for k, transform in transforms.items():
        away = made.between(k, template)(transform(points)) - points
        found[k] = float(np.sqrt((away**2).sum(1).mean())) / pixel
    return found


def told(name: str, found: dict[int, float]) -> None:
    values = np.array(list(found.values()))
    places = sorted(found)
    tenth, last = (float(np.mean([found[k] for k in places if abs(k - at) <= 2])) for at in (10, places[-1]))
    print(
        f"  {name:12s} median {np.median(values):.2f} px of the overview, largest {values.max():.2f}; "
        f"about section 10 {tenth:.2f}, about the last {last:.2f}"
    )


def lesions(arguments: argparse.Namespace) -> None:
    """Slides with a landmark table of the same stem beside each: relative error over all pairs, through the
    frame."""
    import pandas as pd

    paths = sorted(p for p in arguments.images.glob("grey_*.jpg"))
    tables = [pd.read_csv(p.with_suffix(".csv"), skipinitialspace=True) for p in paths]
    points = [table.iloc[:, [2, 1]].to_numpy(float) for table in tables]
    diagonals = []
    for path in paths:
        with open_slide(path) as slide:
            diagonals.append(float(np.hypot(*slide.shape)))
    pairs = list(itertools.combinations(range(len(paths)), 2))

    def shares(between) -> FloatArray:
        medians = []
        for i, j in pairs:
            away = between(j, i)(points[j]) - points[i]
            medians.append(np.median(np.linalg.norm(away, axis=1)) / diagonals[i])
        return np.array(medians)

    group = timed(
        "lesions", lambda progress: register_group(paths, folder=arguments.folder, progress=progress)
    )
    links = {link.ends: link.outcome.fixed_to_moving for link in group.links}
    direct = shares(lambda a, b: links[a, b] if (a, b) in links else links[b, a].inverse())
    through = shares(group.between)
    for name, values in (("direct", direct), ("group", through)):
        print(
            f"  {name:8s} median rTRE {np.median(values):.5f}, mean {values.mean():.5f}, "
            f"largest {values.max():.5f}"
        )
    if arguments.foreign is None:
        wrong_links(group, points)
        return
    for replaced in range(len(paths)):
        given = [*paths]
        given[replaced] = arguments.foreign
        # The links among the others are the same and are read from the folder.
        other = timed(
            f"foreign tissue for {paths[replaced].name}",
            lambda progress, given=given: register_group(given, folder=arguments.folder, progress=progress),
        )
        rest = [k for k in range(len(paths)) if k != replaced]
        moved = np.array(
            [
                np.linalg.norm(other.between(a, b)(points[a]) - group.between(a, b)(points[a]), axis=1)
                for a, b in itertools.permutations(rest, 2)
            ]
        )
        four = assemble(
            [group.members[k].slide for k in rest],
            [
                replace(link, fixed=rest.index(link.fixed), moving=rest.index(link.moving))
                for link in group.links
                if replaced not in link.ends
            ],
        )
        apart = [
            np.linalg.norm(other.between(a, b)(points[a]) - between(four, i, j)(points[a]), axis=1).max()
            for (i, a), (j, b) in itertools.permutations(enumerate(rest), 2)
        ]
        print(
            f"  {[other.verdict(k) for k in range(len(paths))]}; the other four against a group of these "
            f"alone: {max(apart):.2g} px; against the group of five: rms {np.sqrt((moved**2).mean()):.2f} "
            f"px, largest {moved.max():.2f}; standard error of a link {group.noise[0]:.2f} px"
        )
    wrong_links(group, points)


def between(found: Assembled, i: int, j: int) -> Affine:
    """Map slide i to slide j of a group that was put together."""
    first, second = (found.members[k].frame_to_slide for k in (i, j))
    return first.inverse().then(second)


def wrong_links(group: GroupRegistration, points: list[FloatArray]) -> None:
    """Spoil each accepted link in turn, by shifts and turns a person might overlook, and see what happens."""
    slides = [member.slide for member in group.members]
    for name, angle, share in (
        ("3 % of the diagonal aside", 0.0, 0.03),
        ("5 degrees", 5.0, 0.0),
        ("10 % aside and 15 degrees", 15.0, 0.1),
        ("upside down", 180.0, 0.0),
    ):
        found, worst, worst_without = 0, 0.0, 0.0
        for link in group.links:
            size = np.array(slides[link.moving].shape) * slides[link.moving].world_pixel_size
            spoil = Similarity.of(
                angle_deg=angle, centre=size / 2, translation=(share * np.hypot(*size), 0.0)
            )
            pairs = link.outcome.landmarks
            outcome = replace(
                link.outcome,
                fixed_to_moving=link.outcome.fixed_to_moving.then(spoil),
                landmarks=None if pairs is None else replace(pairs, moving=spoil(pairs.moving)),
            )
            others = [one for one in group.links if one is not link]
            spoilt = assemble(slides, [*others, replace(link, outcome=outcome)])
            without = assemble(slides, others)
            state = next(one for one in spoilt.links if one.ends == link.ends)
            found += state.state == "contradicted" and state.weight == 0
            for a, b in itertools.permutations(range(len(slides)), 2):
                now = between(spoilt, a, b)(points[a])
                away = np.linalg.norm(now - between(without, a, b)(points[a]), axis=1).max()
                worst_without = max(worst_without, float(away))
                away = np.linalg.norm(now - group.between(a, b)(points[a]), axis=1).max()
                worst = max(worst, float(away))
        print(
            f"  a wrong link, {name}: {found} of {len(group.links)} found, weight 0; slides moved by at most "
            f"{worst_without:.2g} px against the group without this link, {worst:.2f} px against the group "
            "with the right one"
        )


def large(arguments: argparse.Namespace) -> None:
    """Slides of one tissue in two stains, each turned otherwise."""
    from napari_histreg import phantom_pair

    slides = []
    for k in range(arguments.slides):
        pair = phantom_pair(arguments.size, angle_deg=37.0 * k, mirrored=k % 3 == 2, seed=3)
        slides.append(pair.moving if arguments.files is None else kept(pair.moving, arguments.files, k))
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder or Path(scratch)
        timed("large", lambda progress: register_group(slides, folder=folder, progress=progress))
        timed("again", lambda progress: register_group(slides, folder=folder, progress=progress))


def kept(slide: Slide, folder: Path, number: int) -> Path:
    """Write the nuclei of a slide, unless they are there: pixels drawn when they are read are slow."""
    path = folder / f"slide{number}_{slide.shape[0]}.ome.tif"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_slide(select_channels(slide, [0]), path)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = parser.add_subparsers(required=True)
    first = parts.add_parser("stack")
    first.add_argument("--sections", type=int, default=60)
    first.add_argument("--seed", type=int, default=0)
    first.set_defaults(run=stack)
    second = parts.add_parser("lesions")
    second.add_argument("images", type=Path)
    second.add_argument("--foreign", type=Path)
    second.set_defaults(run=lesions)
    third = parts.add_parser("large")
    third.add_argument("--slides", type=int, default=10)
    third.add_argument("--size", type=int, default=20_000)
    third.add_argument("--files", type=Path, help="write the slides here first, and align the files")
    third.set_defaults(run=large)
    for part in (first, second, third):
        part.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
