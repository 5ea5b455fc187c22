"""The log of a Delta table, read and written by ourselves so that every entry is fsynced before anybody can see it.

`deltalake` commits without fsync and lets others build on an entry that a power cut may still tear; so on a folder an entry is
written and fsynced under another name, then linked to its own (put-if-absent), then the folder is fsynced. Its actions are those
of the Delta protocol (reader 1, writer 2), so `deltalake`, Spark and others read the table. On object stores `deltalake` commits.

Each entry carries the SHA-256 of its own actions, and `_copies/` holds a second copy, from which a damaged one is healed.
"""

import contextlib
import hashlib
import json
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from yuanmai.devices.store.columns import ARRIVED
from yuanmai.devices.store.entries import (
    LOG,
    POINTER,
    Conflict,
    DataFile,
    State,
    add_action,
    as_file,
    checkpoint_path,
    checksum_path,
    copy_path,
    decode,
    encode,
    entry_path,
)  # fmt: skip
from yuanmai.devices.store.files import LocalFiles, ObjectFiles

if TYPE_CHECKING:
    from deltalake import Schema


_ARRIVALS = 4096  # remembered, for those who follow


class Log:
    """Reads and writes the log of one table. Not thread-safe: `Table` locks."""

    def __init__(
        self,
        files: LocalFiles | ObjectFiles,
        schema: pa.Schema,
        partition: Mapping[str, str],
        moment: str,
        on_fault: Callable[[str, str, str], None],
        on_lost: "Callable[[Log, int, str], list[dict[str, Any]]]",
    ) -> None:
        self.files, self.schema, self.partition, self.moment = files, schema, dict(partition), moment
        self.on_fault, self.on_lost = on_fault, on_lost
        self.state = State()
        self._pointer: bytes = b""
        # Files of arrivals with the version that added them, complete for versions after `arrived_from`.
        self.arrived: deque[tuple[int, DataFile]] = deque(maxlen=_ARRIVALS)
        self.arrived_from = -1

    # Reading

    def load(self) -> None:
        """Read the table from its newest sound checkpoint and the entries behind it; make it when there is none."""
        names = {entry.path.rsplit("/", 1)[-1] for entry in self.files.listing(LOG)}
        checkpoints = sorted((int(n[:20]) for n in names if n.endswith(".checkpoint.parquet")), reverse=True)
        entries = {int(n[:20]) for n in names if n.endswith(".json") and n[:20].isdigit()}
        if not entries and not checkpoints:
            self._found()
            return
        self.state = State()
        self.arrived.clear()
        for version in checkpoints:
            # One without its checksum was being written when something ended it: it says nothing.
            if self.files.exists(checksum_path(version)) and self._read_checkpoint(version):
                break
        last = max(entries | {self.state.version})
        for version in range(self.state.version + 1, last + 1):
            actions = self._read_entry(version, missing_is_fault=True)
            if actions is None:
                actions = self.on_lost(self, version, "neither the entry nor its copy can be read")
            self._apply(version, actions)
        self.arrived.clear()
        self.arrived_from = self.state.version

    def first_actions(self) -> list[dict[str, Any]]:
        """Return what the first entry says: protocol and schema."""
        configuration = {"delta.enableExpiredLogCleanup": "false", "delta.checkpointInterval": "1000000000"}
        return [
            {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
            {
                "metaData": {
                    "id": str(uuid.uuid4()), "format": {"provider": "parquet", "options": {}},
                    "schemaString": self._delta_schema().to_json(), "partitionColumns": list(self.partition),
                    "configuration": configuration, "createdTime": int(time.time() * 1000),
                }
            },
        ]  # fmt: skip

    def _delta_schema(self) -> "Schema":
        from deltalake import Schema

        kinds = {"date": pa.date32(), "integer": pa.int32()}
        return Schema.from_arrow(
            pa.schema([*self.schema, *(pa.field(name, kinds[kind]) for name, kind in self.partition.items())])
        )

    def _found(self) -> None:
        """Write the first entry."""
        if any(e.path.endswith(".parquet") and not e.path.startswith("_") for e in self.files.listing("")):
            self._apply(0, self.on_lost(self, 0, "the whole log is lost"))
            return
        actions = self.first_actions()
        data = encode(actions, "CREATE TABLE")
        if self.files.create(entry_path(0), data):
            self._copy(0, data)
            self._apply(0, actions)
        else:
            self.load()

    def _read_checkpoint(self, version: int) -> bool:
        path = checkpoint_path(version)
        try:
            data = self.files.read(path)
            if self.files.read(checksum_path(version)).decode() != hashlib.sha256(data).hexdigest():
                raise ValueError("its checksum does not fit")
            table = pq.read_table(pa.BufferReader(data), columns=["add", "txn"])
        except (OSError, ValueError, pa.ArrowException) as error:
            self.on_fault("checkpoint_damaged", path, str(error))
            return False
        state = State(version, checkpoint=version)
        for add, txn in zip(table["add"].to_pylist(), table["txn"].to_pylist(), strict=True):
            if add:
                part = dict(add["partitionValues"])
                state.files[add["path"]] = as_file(add["path"], add["size"], part, add["stats"], self.moment)
            if txn:
                state.transactions[txn["appId"]] = txn["version"]
        self.state = state
        return True

    def _read_entry(self, version: int, *, missing_is_fault: bool = False) -> list[dict[str, Any]] | None:
        """Return the actions of an entry, of its copy where it is damaged; None when there is neither."""
        path = entry_path(version)
        reason = "it is missing"
        try:
            return decode(self.files.read(path))
        except FileNotFoundError:
            if not missing_is_fault:
                return None
        except ValueError as error:
            reason = str(error)
        try:
            copy = self.files.read(copy_path(version))
            actions = decode(copy)
        except (OSError, ValueError):
            self.on_fault("log_entry_damaged", path, reason)
            return None
        self.on_fault("log_entry_healed", path, reason)
        with contextlib.suppress(OSError):
            self.files.delete(path)
            self.files.create(path, copy)
        return actions

    def _apply(self, version: int, actions: Iterable[Mapping[str, Any]]) -> None:
        state = self.state
        for action in actions:
            if "add" in action:
                add = action["add"]
                file = as_file(
                    add["path"], add["size"], add["partitionValues"], add.get("stats"), self.moment
                )
                state.files[file.path] = file
                if file.level == ARRIVED:
                    if len(self.arrived) == _ARRIVALS:
                        self.arrived_from = self.arrived[0][0]
                    self.arrived.append((version, file))
            elif "remove" in action:
                state.files.pop(action["remove"]["path"], None)
            elif "txn" in action:
                state.transactions[action["txn"]["appId"]] = action["txn"]["version"]
        state.version = version

    def refresh(self) -> bool:
        """Take up what others have committed; return whether there was anything."""
        before = self.state.version
        while (actions := self._read_entry(self.state.version + 1)) is not None:
            self._apply(self.state.version + 1, actions)
        if self.state.version == before:
            # The next entry may have been cleaned up because we slept for long: the pointer tells.
            try:
                pointer = self.files.read(POINTER)
            except FileNotFoundError:
                return False
            if pointer != self._pointer:
                self._pointer = pointer
                with contextlib.suppress(ValueError):
                    if int(json.loads(pointer)["version"]) > self.state.version:
                        self.load()
        return self.state.version != before

    # Writing

    def commit(
        self,
        adds: Sequence[DataFile] = (),
        removes: Iterable[str] = (),
        transactions: Mapping[str, int] | None = None,
        *,
        operation: str = "WRITE",
        check: Callable[[State], None] = lambda state: None,
    ) -> int:
        """Add and remove files and set transactions, all or nothing; return the version, which is durable.

        `check` looks at the newest state and may raise. Raises `Conflict` when a file to remove is gone.
        """
        gone = list(removes)
        while True:
            self.refresh()
            missing = [path for path in gone if path not in self.state.files]
            if missing:
                raise Conflict(f"{missing[0]} has been replaced meanwhile")
            check(self.state)
            now = int(time.time() * 1000)
            actions: list[dict[str, Any]] = [{"add": add_action(file, self.moment)} for file in adds]
            for path in gone:
                file = self.state.files[path]
                actions.append(
                    {
                        "remove": {
                            "path": path, "deletionTimestamp": now, "dataChange": True, "extendedFileMetadata": True,
                            "partitionValues": dict(file.part), "size": file.size,
                        }
                    }
                )  # fmt: skip
            actions += [
                {"txn": {"appId": app, "version": number, "lastUpdated": now}}
                for app, number in (transactions or {}).items()
            ]
            if not isinstance(self.files, LocalFiles):
                return self._commit_remote(adds, gone, transactions or {})
            version = self.state.version + 1
            data = encode(actions, operation)
            if self.files.create(entry_path(version), data):
                self._apply(version, actions)
                self._copy(version, data)
                return version
            self.refresh()
            if self.state.version < version:
                self._apply(
                    version, self.on_lost(self, version, "neither the entry nor its copy can be read")
                )

    def _copy(self, version: int, data: bytes) -> None:
        """Keep a second copy of an entry against damage; losing it costs nothing but that."""
        with contextlib.suppress(OSError):
            if isinstance(self.files, LocalFiles):
                self.files.write_quickly(copy_path(version), data)

    def _commit_remote(self, adds: Sequence[DataFile], removes: Sequence[str], transactions: Mapping[str, int]) -> int:  # fmt: skip
        from deltalake import DeltaTable
        from deltalake.exceptions import CommitFailedError
        from deltalake.transaction import (
            AddAction,
            CommitProperties,
            PostCommitHookProperties,
            RemoveAction,
            Transaction,
        )  # fmt: skip

        assert isinstance(self.files, ObjectFiles)
        table = DeltaTable(self.files.root, version=self.state.version, storage_options=self.files.options)
        now = int(time.time() * 1000)
        actions: list[Any] = []
        for file in adds:
            told = add_action(file, self.moment)
            actions.append(AddAction(file.path, file.size, dict(file.part), now, True, told["stats"]))
        for path in removes:
            old = self.state.files[path]
            actions.append(RemoveAction(path, True, now, old.size, dict(old.part)))
        try:
            table.create_write_transaction(
                actions, "append", self._delta_schema(), list(self.partition),
                commit_properties=CommitProperties(
                    app_transactions=[Transaction(app, number) for app, number in transactions.items()]
                ),
                post_commithook_properties=PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False),
            )  # fmt: skip
        except CommitFailedError as error:
            raise Conflict(str(error)) from error
        self.refresh()
        return self.state.version

    def checkpoint(self) -> None:
        """Write a checkpoint of the newest version, make it durable, then point to it."""
        from deltalake import DeltaTable

        self.refresh()
        version = self.state.version
        if version <= self.state.checkpoint:
            return
        options = self.files.options if isinstance(self.files, ObjectFiles) else None
        self._clear_unfinished()
        DeltaTable(self.files.root, version=version, storage_options=options).create_checkpoint()
        path = checkpoint_path(version)
        data = self.files.read(path)
        if isinstance(self.files, LocalFiles):
            self.files.sync(path)
            self.files.sync(POINTER)
        self.files.write(checksum_path(version), hashlib.sha256(data).hexdigest().encode())
        self.state.checkpoint = version

    def _clear_unfinished(self) -> None:
        """Remove what a crash left of a checkpoint: `deltalake` could not read the table past it."""
        for entry in self.files.listing(LOG):
            name = entry.path.rsplit("/", 1)[-1]
            if name.endswith(".checkpoint.parquet") and not self.files.exists(checksum_path(int(name[:20]))):
                self.files.delete(entry.path)
        with contextlib.suppress(FileNotFoundError):
            try:
                version = int(json.loads(self.files.read(POINTER))["version"])
            except (ValueError, KeyError, TypeError):
                version = -1
            if not self.files.exists(checksum_path(version)):
                self.files.delete(POINTER)
