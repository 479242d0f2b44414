"""An object, or all objects below a prefix, with those methods of a Path that reading an input needs."""

import io
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, overload

from scarnet_cli.buckets.connection import connect
from scarnet_cli.buckets.object_stream import FEW, MANY, ObjectStream
from scarnet_cli.buckets.refusals import answers
from scarnet_cli.errors import AccessError

if TYPE_CHECKING:
    from pyarrow.fs import FileInfo

_SECOND_NS: Final = 1_000_000_000
# Kinds of what pyarrow finds.
_OBJECT: Final = "File"
_PREFIX: Final = "Directory"


class ObjectStatus(NamedTuple):
    """Size and time of an object, named as in os.stat_result.

    Attributes:
        st_size: Bytes.
        st_mtime_ns: When it was written, by the store's clock, in ns since 1970; whole seconds.
    """

    st_size: int
    st_mtime_ns: int


class ListedObject(NamedTuple):
    """An object of a listing.

    Attributes:
        below: Its key below the prefix that was listed.
        status: Its size and time.
    """

    below: str
    status: ObjectStatus


@dataclass(frozen=True, slots=True)
class ObjectPath:
    """The address of an object or prefix, used like a Path.

    Attributes:
        scheme: "s3", "gs" or "az".
        path: Bucket and key, without a slash at either end.
    """

    scheme: str
    path: str

    def __str__(self) -> str:
        """Return the address."""
        return f"{self.scheme}://{self.path}"

    def __truediv__(self, below: str) -> "ObjectPath":
        """Return the address of what lies below this one."""
        return ObjectPath(self.scheme, f"{self.path}/{below.strip('/')}")

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self.path.partition("/")[0]

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.path.rpartition("/")[2]

    @property
    def suffix(self) -> str:
        """The suffix of the name, with its dot."""
        return PurePosixPath(self.name).suffix

    @property
    def parent(self) -> "ObjectPath":
        """The prefix that it lies below; a bucket's is itself."""
        return ObjectPath(self.scheme, self.path.rpartition("/")[0] or self.path)

    def absolute(self) -> "ObjectPath":
        """Return itself."""
        return self

    def is_dir(self) -> bool:
        """Tell whether objects lie below it; see `exists`."""
        return self._kind() == _PREFIX

    def is_file(self) -> bool:
        """Tell whether it is an object; see `exists`."""
        return self._kind() == _OBJECT

    def exists(self) -> bool:
        """Tell whether it is an object, or objects lie below it.

        Raises:
            MachineError: There is no such bucket, it denies access, or its server fails.
        """
        return self._kind() is not None

    def stat(self) -> ObjectStatus:
        """Return an object's size and time.

        Raises:
            FileNotFoundError: There is no such object.
            MachineError: The bucket denies access, or its server fails.
        """
        info = self._info()
        if info.type.name != _OBJECT:
            raise FileNotFoundError
        return _status(info)

    @overload
    def open(self, mode: Literal["rb"], buffering: int = -1) -> "io.BufferedReader[ObjectStream]": ...
    @overload
    def open(self, *, newline: str | None = None, encoding: str = "utf-8") -> "io.TextIOWrapper[Any]": ...
    def open(
        self, mode: Literal["r", "rb"] = "r", buffering: int = -1, newline: str | None = None, encoding: str = "utf-8"
    ) -> "io.BufferedReader[ObjectStream] | io.TextIOWrapper[Any]":
        """Open an object to be read by ranges.

        Args:
            mode: "rb", or "r" for text.
            buffering: 0 if few of its bytes are needed.
            newline: As for open().
            encoding: As for open().

        Raises:
            FileNotFoundError: There is no such object.
            PermissionError: It is denied.
            MachineError: The server fails.
        """
        with answers(self.scheme, self.bucket, of_object=True):
            file = connect(self.scheme, self.bucket).open_input_file(self.path)
            stream = io.BufferedReader(ObjectStream(file, self.scheme, self.bucket, FEW if buffering == 0 else MANY))
        return stream if mode == "rb" else io.TextIOWrapper(stream, encoding, newline=newline)

    def objects(self) -> list[ListedObject]:
        """Return all objects below it, in the order in which a walk over folders comes to files.

        Raises:
            FileNotFoundError: Nothing lies below it.
            MachineError: The bucket denies access, or its server fails.
        """
        infos = self._listed(recursive=True)
        start = len(self.path) + 1
        found = [ListedObject(info.path[start:], _status(info)) for info in infos if info.type.name == _OBJECT]
        return sorted(found, key=lambda one: _walk_order(one.below))

    def _kind(self) -> str | None:
        """Return `_OBJECT`, `_PREFIX`, or None.

        Only a listing tells a bucket that is missing, and a prefix whose objects may be read but not its own name.
        """
        denied = None
        try:
            kind = self._info().type.name
            if kind in (_OBJECT, _PREFIX):
                return kind
        except AccessError as error:
            denied = error
        try:
            return _PREFIX if self._listed(recursive=False) else None
        except FileNotFoundError:
            if denied:
                raise denied from None
            return None

    def _listed(self, *, recursive: bool) -> "list[FileInfo]":
        from pyarrow.fs import FileSelector  # noqa: PLC0415 (see connect)

        with answers(self.scheme, self.bucket):
            return connect(self.scheme, self.bucket).get_file_info(FileSelector(self.path, recursive=recursive))

    def _info(self) -> "FileInfo":
        with answers(self.scheme, self.bucket):
            return connect(self.scheme, self.bucket).get_file_info(self.path)


def _status(info: "FileInfo") -> ObjectStatus:
    """Return size and time. A listing may give parts of a second, which an object's own headers cannot."""
    return ObjectStatus(info.size, info.mtime_ns // _SECOND_NS * _SECOND_NS)


def _walk_order(below: str) -> list[tuple[bool, str]]:
    """Return the sort key of a walk: a folder's files by name, then what lies in its folders by theirs."""
    *folders, name = below.split("/")
    return [*((True, folder) for folder in folders), (False, name)]
