"""The side of a search on Ray that leads: starts a host on each node with room, hands it trials, and replaces it when it
is lost. The extension module calls begin() and ask() from its own threads."""

from __future__ import annotations

import itertools
import os
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Mapping, Optional

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from . import __version__, _core
from ._errors import InvalidInput, IoError
from ._events import logger
from ._ray_host import Host, HostPlan, NodeFacts, Shipment, node_facts
from ._ray_placement import Need, Room, has_room, place, require_room, size_text

#: How long a cancelled trial may take to notice, and the pause between two looks at the cluster.
_GRACE_SECONDS = 30.0
_LOOK_SECONDS = 1.0
_POLL_SECONDS = 0.2
#: How often a process may end while it runs a trial, on a node that lives on, before the trial is to blame.
_DEATHS = 2
_PROBE_SECONDS = 120.0


@dataclass
class NodeUse:
    """What a node did in a search.

    Attributes:
        name: of the node, as Ray shows it.
        workers: trials at the same time, of all its processes so far.
        processes: that were started on it.
        bytes_shipped: of model and data that it got through the object store; 0 on the node of the driver.
        trials: that it ended.
        seconds: that they took there.
        waited: seconds that the driver waited for them: `seconds` and the overhead of the transport.
    """

    name: str
    workers: int = 0
    processes: int = 0
    bytes_shipped: int = 0
    trials: int = 0
    seconds: float = 0.0
    waited: float = 0.0


@dataclass
class _Running:
    """A host that has been started."""

    number: int
    node: str
    actor: Any
    workers: int
    free: int
    ready: Any  # reference to its first answer, until it has come
    is_lost: bool = False


@dataclass(frozen=True)
class PoolOptions:
    workers: int
    need: Need
    any_runtime: bool
    latency_counts: bool
    patience_seconds: float
    memory_bytes: Optional[int]  # of the caches of a host; None: half of what is free


@dataclass
class Work:
    """What hosts are given. `ship` puts model and data into the object store, once."""

    ship: Callable[[], Shipment]
    plan: Callable[[int, int, int], HostPlan]  # of (workers, threads, bytes)


class Pool:
    def __init__(self, options: PoolOptions, work: Work) -> None:
        self._options, self._work = options, work
        self._own = node_facts()
        self._changed = threading.Condition()
        self._hosts: List[_Running] = []
        self._started: List[_Running] = []  # by number, those that are lost, too
        self._facts: Dict[str, Optional[NodeFacts]] = {}  # of nodes; None: refused
        self._ran: Dict[int, _Running] = {}
        self._tickets = itertools.count()
        self._shipment: Any = None
        self._greeting: Mapping[str, Any] = {}
        self._refusal: Optional[InvalidInput] = None
        self._last_host = time.monotonic()
        self._closed = threading.Event()
        self._tender: Optional[threading.Thread] = None
        self.uses: Dict[str, NodeUse] = {}
        self.lost_message: Optional[str] = None

    # Before the search.

    def require_room(self) -> None:
        """Waits for a node with room. Raises InvalidInput when the search cannot begin on this cluster: nothing has been shipped
        then.

        What no node could take is refused at once. What other work occupies, the processes of an ended search for a moment
        too, may become free.
        """
        nodes = _live_nodes()
        self._probe(nodes, refuse=True)
        need = self._options.need
        require_room(list(self._rooms(nodes, {}).values()), need)
        rooms = self._free_rooms()
        end = time.monotonic() + self._options.patience_seconds
        if not has_room(rooms.values(), need):
            logger.warning("every node with room for a trial is occupied; waiting up to %g s", self._options.patience_seconds)
        while not has_room(rooms.values(), need) and time.monotonic() < end:
            time.sleep(min(_POLL_SECONDS, max(0.0, end - time.monotonic())))
            rooms = self._free_rooms()
        require_room(list(rooms.values()), need)
        found = sum(place(rooms, self._options.need, self._options.workers).values())
        if found < self._options.workers:
            logger.warning("the cluster has room for %d of %d workers; more start when nodes join", found, self._options.workers)

    def require_store(self, what: str, size: int) -> None:
        """Raises InvalidInput for an object that the store of a node cannot hold."""
        for node in _live_nodes():
            store = int(node["Resources"].get("object_store_memory", 0))
            if self._facts.get(node["NodeID"]) is not None and store < size:
                raise InvalidInput(
                    f"search: {what} of {size_text(size)} cannot be shipped, because the object store of node "
                    f"'{node['NodeName']}' holds {size_text(store)}; start Ray with a larger object_store_memory"
                )

    def _probe(self, nodes: List[Dict[str, Any]], refuse: bool) -> None:
        task = ray.remote(num_cpus=0, max_retries=0)(node_facts)
        asked = {}
        for node in nodes:
            if node["NodeID"] not in self._facts:
                asked[node["NodeID"]] = task.options(scheduling_strategy=_on(node["NodeID"])).remote()
        if asked:
            ray.wait(list(asked.values()), num_returns=len(asked), timeout=_PROBE_SECONDS)
        for node in nodes:
            reference = asked.get(node["NodeID"])
            if reference is None:
                continue
            refusal = self._refusal_of(node["NodeName"], reference, node["NodeID"])
            if refusal is None:
                continue
            if refuse:
                raise refusal
            logger.warning("%s; it is not used", refusal)
            self._facts[node["NodeID"]] = None

    def _refusal_of(self, name: str, reference: Any, node: str) -> Optional[InvalidInput]:
        """Notes what the node says of itself; returns why it cannot take part."""
        try:
            facts: NodeFacts = ray.get(reference, timeout=0)
        except Exception as error:
            reason = str(error).strip().splitlines()[-1]
            return InvalidInput(f"search: node '{name}' cannot run trials: {reason}; install the same quantsearch there")
        self._facts[node] = facts
        if facts.version != __version__:
            return InvalidInput(f"search: node '{name}' has quantsearch {facts.version}, the driver {__version__}; install the same")
        if facts.runtime != self._own.runtime and not self._options.any_runtime:
            return InvalidInput(
                f"search: node '{name}' has {facts.runtime}, the driver {self._own.runtime}, and their scores may differ; "
                "install the same, or pass any_runtime=True"
            )
        if self._options.latency_counts and facts.processor != self._own.processor:
            return InvalidInput(
                f"search: node '{name}' has the processor {facts.processor}, the driver {self._own.processor}, and their "
                "latencies do not compare; use nodes of one kind, or a search_goal and limits without latency"
            )
        return None

    def _free_rooms(self) -> Dict[str, Room]:
        """What is free at the moment, on nodes that have joined, too."""
        nodes = _live_nodes()
        self._probe(nodes, refuse=False)
        return self._rooms(nodes, _available_resources())

    def _rooms(self, nodes: List[Dict[str, Any]], available: Mapping[str, Mapping[str, float]]) -> Dict[str, Room]:
        """The nodes that may be used with what is free on them by `available`; all is free on a node that is not named there.
        Nodes on one machine share its memory."""
        on_machine: Dict[str, int] = {}
        for node in nodes:
            on_machine[node["NodeManagerAddress"]] = on_machine.get(node["NodeManagerAddress"], 0) + 1
        rooms = {}
        for node in nodes:
            facts = self._facts.get(node["NodeID"])
            if facts is None:
                continue
            resources = {name: amount for name, amount in available.get(node["NodeID"], node["Resources"]).items() if name != "memory"}
            logical = available.get(node["NodeID"], node["Resources"]).get("memory", facts.free_bytes)
            free = min(int(logical), facts.free_bytes // on_machine[node["NodeManagerAddress"]])
            if "memory" in self._options.need.resources:
                resources["memory"] = logical
            rooms[node["NodeID"]] = Room(node["NodeName"], resources, free)
        return rooms

    # Called by the search.

    def begin(self, greeting: Mapping[str, Any]) -> None:
        """Starts the first hosts and returns when one of them is ready."""
        self._greeting = greeting
        self._shipment = ray.put(self._work.ship())
        self._tender = threading.Thread(target=self._tend, name="quantsearch-ray", daemon=True)
        self._tender.start()
        with self._changed:
            self._changed.wait_for(lambda: self._refusal or self.lost_message or any(host.ready is None for host in self._hosts))
        if self._refusal is not None:
            raise self._refusal
        if self.lost_message is not None:
            raise IoError(self.lost_message)

    def take(self, is_cancelled: Callable[[], bool]) -> Optional[int]:
        """The number of a host with a free worker, which is reserved; None when there will be none."""
        host = self._take(is_cancelled)
        return None if host is None else host.number

    def leave(self, number: int) -> None:
        """Ends a reservation."""
        self._release(self._started[number])

    def ask(self, request: Mapping[str, Any], is_cancelled: Callable[[], bool]) -> Dict[str, Any]:
        if "make" in request:
            return self._make(request, is_cancelled)
        number, deaths = int(request["run"]), 0
        reserved = self._started[request["place"]] if "place" in request else None
        while True:
            is_reserved = reserved is not None and not reserved.is_lost
            host = reserved if is_reserved else self._take(is_cancelled)
            if host is None:
                return {"lost": self.lost_message} if self.lost_message else {"cancelled": True}
            begin = time.monotonic()
            try:
                answer, seconds = self._result(host, "answer", request, is_cancelled)
            except ray.exceptions.RayActorError as error:
                deaths += self._lose(host, error)
                if deaths >= _DEATHS:
                    reason = f"the process that ran it ended {deaths} times; the last time: {_first_line(error)}"
                    return {"failed": {"reason": reason, "details": {}}}
                logger.warning("trial %d begins again on another host, because %s", number, _first_line(error))
                continue
            except ray.exceptions.RayError as error:
                return {"failed": {"reason": str(error), "details": {}}}
            finally:
                if not is_reserved:
                    self._release(host)
            with self._changed:
                self._ran[number] = host
                use = self.uses[host.node]
                use.trials, use.seconds, use.waited = use.trials + 1, use.seconds + seconds, use.waited + time.monotonic() - begin
            found: Dict[str, Any] = answer
            return found

    def _make(self, request: Mapping[str, Any], is_cancelled: Callable[[], bool]) -> Dict[str, Any]:
        """The host that ran the trial still has its model, or the stages that lead to it."""
        with self._changed:
            first = self._ran.get(int(request["make"]["number"]))
            ready = [host for host in self._hosts if host.ready is None]
        for host in ([first] if first in ready else []) + [host for host in ready if host is not first]:
            try:
                answer, files = self._result(host, "make", request, is_cancelled)
            except ray.exceptions.RayError as error:
                logger.warning("the host on '%s' did not send a model: %s", self.uses[host.node].name, _first_line(error))
                continue
            folder = os.path.dirname(str(request["file"]))
            for name, content in files.items():
                content.tofile(os.path.join(folder, name))
            made: Dict[str, Any] = answer
            return made
        return {"failed": {"reason": "no host has it", "details": {}}}

    def close(self) -> None:
        """Ends the hosts."""
        self._closed.set()
        if self._tender is not None:
            self._tender.join()
        for host in self._hosts:
            ray.kill(host.actor)
        self._hosts, self._ran, self._shipment = [], {}, None

    # Trials.

    def _take(self, is_cancelled: Callable[[], bool]) -> Optional[_Running]:
        """A host with a free worker; None when the search has ended or there are no hosts any more."""
        with self._changed:
            while True:
                if is_cancelled() or self.lost_message is not None:
                    return None
                free = [host for host in self._hosts if host.ready is None and host.free > 0]
                if free:
                    host = max(free, key=lambda one: one.free / one.workers)
                    host.free -= 1
                    return host
                self._changed.wait(_POLL_SECONDS)

    def _release(self, host: _Running) -> None:
        with self._changed:
            host.free += 1
            self._changed.notify_all()

    def _result(self, host: _Running, method: str, request: Mapping[str, Any], is_cancelled: Callable[[], bool]) -> Any:
        ticket = next(self._tickets)
        reference = getattr(host.actor, method).remote(request, ticket)
        cancelled_at: Optional[float] = None
        while not ray.wait([reference], timeout=_POLL_SECONDS)[0]:
            if cancelled_at is None and is_cancelled():
                cancelled_at = time.monotonic()
                host.actor.cancel.remote(ticket)
            if cancelled_at is not None and time.monotonic() - cancelled_at > _GRACE_SECONDS:
                return {"cancelled": True}, 0.0
        return ray.get(reference)

    def _lose(self, host: _Running, error: Exception) -> int:
        """Forgets a host; returns 1 when its process ended although its node lives on."""
        with self._changed:
            if not host.is_lost:
                host.is_lost = True
                self._hosts.remove(host)
                if not any(other.ready is None for other in self._hosts):
                    self._last_host = time.monotonic()
                logger.warning("the host on '%s' is lost: %s", self.uses[host.node].name, _first_line(error))
        node_died = "its node has died" in str(error) or host.node not in {node["NodeID"] for node in _live_nodes()}
        return 0 if node_died else 1

    # Hosts.

    def _tend(self) -> None:
        """Starts hosts while fewer workers run than were asked for, and takes those in that have become ready."""
        while not self._closed.is_set():
            try:
                self._grow()
                self._welcome()
            except Exception as error:  # the cluster is not reachable for the moment
                logger.warning("the cluster does not answer: %s", _first_line(error))
                self._closed.wait(_LOOK_SECONDS)
            with self._changed:
                patience = self._options.patience_seconds
                if not self._hosts and time.monotonic() - self._last_host > patience and self.lost_message is None:
                    self.lost_message = f"search: no node of the cluster could run a trial for {patience:g} s"
                    self._changed.notify_all()

    def _grow(self) -> None:
        missing = self._options.workers - sum(host.workers for host in self._hosts)
        if missing <= 0:
            return
        rooms = self._free_rooms()
        # Ray shows what a new host takes only when it runs.
        starting = {host.node for host in self._hosts if host.ready is not None}
        rooms = {node: room for node, room in rooms.items() if node not in starting}
        for node, workers in place(rooms, self._options.need, missing).items():
            self._start(node, rooms[node], workers)

    def _start(self, node: str, room: Room, workers: int) -> None:
        need = self._options.need
        threads = max(1, int(workers * need.resources.get("CPU", 1)))
        memory = self._options.memory_bytes or max(need.trial_bytes, (room.free_bytes - need.host_bytes) // 2)
        resources = {name: workers * amount for name, amount in need.resources.items()}
        custom = {name: amount for name, amount in resources.items() if name not in ("CPU", "GPU", "memory")}
        actor = (
            ray.remote(Host)
            .options(
                num_cpus=resources.get("CPU", 0),
                num_gpus=resources.get("GPU", 0),
                memory=resources.get("memory"),
                resources=custom or None,
                scheduling_strategy=_on(node),
                max_concurrency=2 * workers + 2,  # trials, models that are fetched, and cancellations
            )
            .remote(self._shipment, self._work.plan(workers, threads, memory), self._greeting)
        )
        with self._changed:
            use = self.uses.setdefault(node, NodeUse(room.name))
            use.processes, use.workers = use.processes + 1, max(use.workers, workers)
            host = _Running(len(self._started), node, actor, workers, workers, actor.state.remote())
            self._started.append(host)
            self._hosts.append(host)

    def _welcome(self) -> None:
        """Waits a moment for hosts that are starting."""
        starting = {host.ready: host for host in self._hosts if host.ready is not None}
        if not starting:
            self._closed.wait(_LOOK_SECONDS)
            return
        ready, _ = ray.wait(list(starting), timeout=_LOOK_SECONDS)
        for reference in ready:
            host = starting[reference]
            try:
                fingerprint, jobs, _ = ray.get(reference)
            except ray.exceptions.RayError as error:
                self._not_ready(host, error)
                continue
            self._take_in(host, fingerprint, jobs)

    def _not_ready(self, host: _Running, error: Exception) -> None:
        self._lose(host, error)
        with self._changed:
            if isinstance(error, ray.exceptions.RayTaskError) or "creation task" in str(error):
                name, reason = self.uses[host.node].name, str(error).strip().splitlines()[-1]
                self._refusal = InvalidInput(f"search: the host on node '{name}' did not begin: {reason}")
            self._facts[host.node] = None
            self._changed.notify_all()

    def _take_in(self, host: _Running, fingerprint: Mapping[str, Any], jobs: int) -> None:
        wanted = dict(self._greeting["fingerprint"])
        found = dict(fingerprint)
        if self._options.any_runtime:
            found["runtime"] = wanted["runtime"]
        with self._changed:
            use = self.uses[host.node]
            if wanted != found:
                differing = ", ".join(name for name in sorted({*wanted, *found}) if wanted.get(name) != found.get(name))
                self._refusal = InvalidInput(f"search: node '{use.name}' got another input than the driver has: {differing} differ")
            elif not host.is_lost:
                host.workers = host.free = min(host.workers, jobs)
                if host.node != ray.get_runtime_context().get_node_id():
                    use.bytes_shipped = self._shipped_bytes
                host.ready = None
                logger.info("node '%s' runs %d trials at a time", use.name, host.workers)
            self._changed.notify_all()

    _shipped_bytes = 0

    def note_shipped(self, count: int) -> None:
        self._shipped_bytes = count


def _on(node: str) -> NodeAffinitySchedulingStrategy:
    return NodeAffinitySchedulingStrategy(node, soft=False)


def _live_nodes() -> List[Dict[str, Any]]:
    return [node for node in ray.nodes() if node["Alive"]]


def _available_resources() -> Dict[str, Dict[str, float]]:
    """What is free on each node, by its id. Ray has no public function for it."""
    from ray._private.state import available_resources_per_node

    found: Dict[str, Dict[str, float]] = available_resources_per_node()
    return found


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
