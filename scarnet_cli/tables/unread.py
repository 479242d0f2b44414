"""The table `unread`: the parts of an input that were not read."""

from scarnet_cli.tables.columns import column, record


@record
class UnreadRow:
    """A folder that was not read, or all files of a folder that were not read for one reason."""

    place: str = column(
        "Key of the folder or archive (of the file itself at the input's root, of an archive that is not read, and for "
        "crashed, stuck, no_memory and io_error): a hash of its path.",
        required=True,
    )
    kind: str = column("What was not read: 'folder', or 'file' for files and links in the folder.", required=True)
    reason: str = column(
        "vanished, unreadable, dead_link, crashed, stuck, no_memory, io_error, link_loop, walked_before, no_file, "
        "bad_archive, encrypted_archive, archive_too_large, archive_too_deep, nested_archive, unknown_archive, nifti, "
        "system_folder, own_output or no_study, see `message`.",
        required=True,
    )
    count: int = column("How many.", required=True)
    message: str = column("The reason for people, and what to do.", required=True)
