"""The registry: which entry a name means, and the spec behind it."""

from __future__ import annotations

from typing import Any, Literal, overload

from zoo.errors import EntryError, UnknownName
from zoo.registry import loading
from zoo.registry.discovery import PLUGINS_VARIABLE, Entry, Found, discover, normalise
from zoo.registry.spec import GROUPS, DatasetSpec, ModelSpec, Spec, TaskSpec

#: Stands where a distribution's name would, for entries of `zoo.register`.
SESSION = "session"


class Registry:
    """All entries by group and name. Metadata is read on first use, a spec when it is asked for."""

    def __init__(self, found: Found | None = None) -> None:
        self._found = found
        self._registered: dict[tuple[str, str], Entry] = {}
        self._specs: dict[Entry, Spec] = {}
        #: By identity: specs are not hashable, and `load_target` is handed a spec alone.
        self._owners: dict[int, Entry] = {}

    @property
    def found(self) -> Found:
        """What is installed."""
        if self._found is None:
            self._found = discover()
        return self._found

    def refresh(self) -> None:
        """Look again at what is installed; registrations of this session stay."""
        self._found = None
        self._specs = {e: s for e, s in self._specs.items() if e.distribution == SESSION}

    def entries(self, group: str | None = None) -> list[Entry]:
        """Return the entries of `group` (all groups: None); nothing is imported."""
        if group is not None and group not in GROUPS:
            raise UnknownName("group", group, GROUPS)
        every = [*self.found.entries, *self._registered.values()]
        return [e for e in every if group in (None, e.group)]

    def names(self, group: str) -> list[str]:
        """Return what to call each entry of `group`: its bare name, or `distribution:name`."""
        return [self.call_name(e) for e in self.entries(group)]

    def call_name(self, entry: Entry) -> str:
        """Return the shortest name that means `entry`."""
        return entry.qualified if self.clash(entry) else entry.name

    def clash(self, entry: Entry) -> str:
        """Return why the bare name does not mean `entry`, or "" if it does."""
        others = [e for e in self.entries(entry.group) if e.name == entry.name and e != entry]
        if not others or entry.builtin:
            return ""
        for other in others:
            if other.builtin:
                return f"{entry.name!r} is a built-in; this one is {entry.qualified!r}"
        theirs = ", ".join(repr(e.qualified) for e in others)
        return f"{entry.name!r} is claimed by {theirs} too; this one is {entry.qualified!r}"

    def find(self, group: str, name: str) -> Entry:
        """Return the entry that `name` (bare, or `distribution:name`) means; nothing is imported.

        Raises:
            UnknownName: No entry has that name; the message says which are close.
            EntryError: Two plugins claim the bare name; the message lists both qualified names.
        """
        matches = [e for e in self.entries(group) if _answers(e, name)]
        builtin = [e for e in matches if e.builtin]
        if len(matches) == 1 or builtin:
            return (builtin or matches)[0]
        if matches:
            choices = " or ".join(repr(e.qualified) for e in matches)
            kind = group.removesuffix("s")
            raise EntryError(f"{kind} {name!r} is claimed by two plugins.\nSay which: {choices}.")
        raise self._unknown(group, name)

    @overload
    def get(self, group: Literal["models"], name: str) -> ModelSpec: ...
    @overload
    def get(self, group: Literal["datasets"], name: str) -> DatasetSpec: ...
    @overload
    def get(self, group: Literal["tasks"], name: str) -> TaskSpec: ...
    @overload
    def get(self, group: str, name: str) -> Spec: ...

    def get(self, group: str, name: str) -> Spec:
        """Return the spec that `name` means, importing that one entry.

        Raises:
            UnknownName: As `find`.
            EntryError: As `find`; or the entry is broken or incompatible, with how to repair it.
        """
        return self.spec(self.find(group, name))

    def spec(self, entry: Entry) -> Spec:
        """Return the spec of `entry`, imported once."""
        if entry not in self._specs:
            spec = loading.load_spec(entry)
            self._specs[entry] = spec
            self._owners[id(spec)] = entry
        return self._specs[entry]

    def split_variant(self, name: str) -> tuple[DatasetSpec, str | None]:
        """Split `ring-polymer/nose-hoover-neq` into the dataset's spec and the variant.

        The variant is None for the bare name, and for the name of the variant that it means.

        Raises:
            UnknownName: No such dataset, or the dataset has no such variant.
        """
        bare, slash, variant = name.partition("/")
        spec = self.get("datasets", bare)
        if not slash:
            return spec, None
        if variant not in spec.variants:
            raise UnknownName(f"variant of dataset {bare!r}", variant, spec.variants)
        return spec, None if variant == spec.default_variant else variant

    def owner(self, spec: Spec) -> Entry:
        """Return the entry that `spec` came from."""
        entry = self._owners.get(id(spec))
        if entry is not None:
            return entry
        # A copy of a spec, or one that never was registered: known by its name, else on its own.
        group = group_of(spec)
        for entry in self.entries(group):
            if entry.name == spec.name and self._specs.get(entry) == spec:
                return entry
        return Entry(group=group, name=spec.name, distribution=SESSION, spec=spec)

    def load_target(self, spec: Spec) -> Any:
        """Import and return the class or function that `spec.target` names.

        Raises:
            EntryError: It does not exist, is broken, or needs an extra; with how to repair it.
        """
        return loading.load_target(self.owner(spec), spec)

    def load_config(self, spec: Spec) -> Any:
        """Import and return the config model that `spec.config` names, None if it has none.

        Raises:
            EntryError: As `load_target`.
        """
        return loading.load_config(self.owner(spec), spec)

    def require(self, spec: Spec) -> None:
        """Raise an `EntryError` naming the extra to install, if a required module is missing."""
        loading.require(self.owner(spec), spec)

    def register(self, spec: Spec, replace: bool = False) -> Spec:
        """Add an entry for this process only, such as a model of a notebook.

        Raises:
            EntryError: The name is taken. `replace=True` replaces an earlier registration of this
                session, never an installed entry.
        """
        group = group_of(spec)
        entry = Entry(group=group, name=spec.name, distribution=SESSION, spec=spec)
        loading.check_spec(entry, spec)
        taken = [e for e in self.entries(group) if e.name == spec.name]
        if any(e.distribution != SESSION for e in taken):
            raise EntryError(
                f"{group.removesuffix('s')} {spec.name!r} is installed already, by "
                f"{taken[0].source}. Register yours under another name."
            )
        if taken and not replace:
            raise EntryError(
                f"{group.removesuffix('s')} {spec.name!r} is registered already. "
                "zoo.register(spec, replace=True) replaces it."
            )
        self._registered[group, spec.name] = entry
        self._specs[entry] = spec
        self._owners[id(spec)] = entry
        return spec

    def _unknown(self, group: str, name: str) -> UnknownName:
        kind = group.removesuffix("s")
        known = self.names(group)
        for entry in self.found.off:
            if entry.group == group and _answers(entry, name):
                hint = f" It is one of {entry.source}, which {PLUGINS_VARIABLE} leaves out."
                return UnknownName(kind, name, known, hint)
        for other in GROUPS:
            if any(_answers(e, name) for e in self.entries(other)):
                hint = f" There is a {other.removesuffix('s')} of that name."
                return UnknownName(kind, name, known, hint)
        qualified = [e.qualified for e in self.entries(group)] if ":" in name else []
        return UnknownName(kind, name, {*known, *qualified})


def group_of(spec: Spec) -> str:
    """Return the group that `spec` belongs to."""
    for group, kind in GROUPS.items():
        if isinstance(spec, kind):
            return group
    kinds = ", ".join(k.__name__ for k in GROUPS.values())
    raise EntryError(f"{spec!r} is none of {kinds}.")


def _answers(entry: Entry, name: str) -> bool:
    distribution, colon, bare = name.rpartition(":")
    if not colon:
        return entry.name == name
    return entry.name == bare and normalise(entry.distribution) == normalise(distribution)


#: The one registry of this process.
REGISTRY = Registry()


def register(spec: Spec, replace: bool = False) -> Spec:
    """Add `spec` to the registry of this process; see `Registry.register`."""
    return REGISTRY.register(spec, replace)
