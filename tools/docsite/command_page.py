"""The reference of the command line, read from the program itself."""

from typer.main import get_command

from napari_histreg.cli.app import app


def page() -> str:
    """Return a page with every verb, its arguments and its options."""
    program = get_command(app)
    context = program.context_class(program, info_name="histreg")
    parts = [
        "# Command line",
        _plain(program.help),
        _plain(program.epilog),
        "General options may stand anywhere on the line:",
        _table(program, context),
    ]
    for name, verb in program.commands.items():
        inner = program.context_class(verb, info_name=name, parent=context)
        usage = " ".join(verb.collect_usage_pieces(inner))
        parts += [f"## histreg {name}", _plain(verb.help), f"```text\nhistreg {name} {usage}\n```"]
        parts += [_table(verb, inner), _plain(verb.epilog)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(verb, context) -> str:
    records = [parameter.get_help_record(context) for parameter in verb.get_params(context)]
    rows = [f"| {_code(names)} | {_cell(_plain(words))} |" for names, words in filter(None, records)]
    return "\n".join(["| | |", "| --- | --- |", *rows])


def _code(names: str) -> str:
    return "`" + _cell(names) + "`"


def _plain(text: str | None) -> str:
    """Return a help text as one paragraph of Markdown."""
    words = " ".join((text or "").split())
    for sign in r"\*<[]_`":
        words = words.replace(sign, "\\" + sign)
    return words


def _cell(text: str) -> str:
    return text.replace("|", r"\|")
