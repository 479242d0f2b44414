"""Options that name weights of networks, by file or by name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import rich_click as click

from scarnet_cli.cli.paths import EXISTING_FOLDER

_Command = TypeVar("_Command", bound=Callable[..., Any])


class WeightsName(click.Path):
    """A weights file: its path, or its name in the pipeline's folder or the user's (see `weights_dir`)."""

    def __init__(self) -> None:
        """Return a Path."""
        super().__init__(path_type=Path)
        self.name = "name or file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # noqa: ANN401
        """Return the file; a missing one is a usage error."""
        from scarnet_cli.errors import ModelError
        from scarnet_cli.model.store import find_weights

        try:
            return find_weights(str(value), own_weights())
        except ModelError as error:
            self.fail(str(error), param, ctx)


WEIGHTS_NAME = WeightsName()
LOCALISER = click.option(
    "--localiser", type=WEIGHTS_NAME, default="localiser", show_default=True, help="Weights of the heart's localiser."
)
WEIGHTS = click.option(
    "--weights", type=WEIGHTS_NAME, default="scarnet", show_default=True, help="Weights of the network that labels it."
)
_WEIGHTS_DIR: Final = "scarnet_cli.weights_dir"


def weights_dir(command: _Command) -> _Command:
    """Add --weights-dir to a command whose other options name weights; `own_weights` returns its value."""

    def keep(ctx: click.Context, _param: click.Parameter, value: Path | None) -> None:
        ctx.meta[_WEIGHTS_DIR] = value

    return click.option(
        "--weights-dir",
        type=EXISTING_FOLDER,
        envvar="SCARNET_WEIGHTS",
        show_envvar=True,
        is_eager=True,  # parsed before the names that are looked up in it
        expose_value=False,
        callback=keep,
        help="Folder of your own weights, searched before the pipeline's.",
    )(command)


def own_weights() -> Path | None:
    """Return the folder that --weights-dir or SCARNET_WEIGHTS names for the running command."""
    context = click.get_current_context(silent=True)
    return context.meta.get(_WEIGHTS_DIR) if context else None


def weights_name(path: Path) -> str:
    """Return how a user names a weights file: by its name where that leads to it, else by its path."""
    from scarnet_cli.model.store import known_weights

    return path.stem if known_weights(own_weights()).get(path.stem) == path else str(path)
