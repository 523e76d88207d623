"""Where the workers of a search on Ray go: by what a worker asks for and by free memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterable, List, Mapping, Sequence

from ._errors import InvalidInput

#: Of a process that has loaded the library, the runtime and Ray, before it has a model.
PROCESS_BYTES = 256 << 20


@dataclass(frozen=True)
class Room:
    """What is free on a node: resources by Ray's names, and bytes of memory."""

    name: str
    resources: Mapping[str, float]
    free_bytes: int


@dataclass(frozen=True)
class Need:
    """What workers take: resources and bytes of each, and bytes of the process that they share on a node."""

    resources: Mapping[str, float]
    trial_bytes: int
    host_bytes: int

    @property
    def is_one_per_process(self) -> bool:
        """A process computes on one accelerator."""
        return self.resources.get("GPU", 0) > 0

    def fits(self, room: Room) -> int:
        """The most workers of one process on this node."""
        counts = [int(room.resources.get(name, 0) / amount + 1e-9) for name, amount in self.resources.items() if amount > 0]
        counts.append((room.free_bytes - self.host_bytes) // self.trial_bytes)
        most = max(0, min(counts))
        return min(most, 1) if self.is_one_per_process else most


def place(rooms: Mapping[str, Room], need: Need, wanted: int) -> Dict[str, int]:
    """The number of workers of each node that gets some. Each next worker goes where the most memory is left."""
    capacity = {node: need.fits(room) for node, room in rooms.items()}
    left = {node: rooms[node].free_bytes - need.host_bytes for node, most in capacity.items() if most > 0}
    placed: Dict[str, int] = {}
    for _ in range(wanted):
        open_nodes = [node for node in left if placed.get(node, 0) < capacity[node]]
        if not open_nodes:
            break
        node = max(open_nodes, key=lambda one: (left[one], one))
        placed[node] = placed.get(node, 0) + 1
        left[node] -= need.trial_bytes
    return placed


def has_room(rooms: Iterable[Room], need: Need) -> bool:
    """Whether a worker fits one of them."""
    return any(need.fits(room) > 0 for room in rooms)


def require_room(rooms: Sequence[Room], need: Need) -> None:
    """Raises InvalidInput with what a worker needs and what each node has, when no node has room for one."""
    if has_room(rooms, need):
        return
    asked = _text(need.resources, need.host_bytes + need.trial_bytes)
    there = "; ".join(f"'{room.name}' has {_text(_only(room.resources, need), room.free_bytes)} free" for room in rooms)
    raise InvalidInput(
        f"search: no node of the cluster has room for one trial: it needs {asked}; {there or 'the cluster has no nodes'}; "
        "free a node, add one, or ask for less in resources_per_worker"
    )


def _only(resources: Mapping[str, float], need: Need) -> Dict[str, float]:
    return {name: resources.get(name, 0.0) for name in need.resources}


def _text(resources: Mapping[str, float], memory: int) -> str:
    parts: List[str] = [f"{name} {amount:g}" for name, amount in resources.items()]
    return ", ".join([*parts, f"{size_text(memory)} of memory"])


def size_text(count: int) -> str:
    """A number of bytes for a message."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
