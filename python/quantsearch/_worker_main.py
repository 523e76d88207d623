"""Program of a worker process (_workers.py): FOLDER THREADS MEMORY DEVICE, with a socket to the search as standard input and output."""

import sys

sys.path.pop(0)  # the folder of this file, whose modules have names of other packages

import os  # noqa: E402
import pathlib  # noqa: E402


def main() -> None:
    folder, threads, memory, device = sys.argv[1:]
    # What libraries print must not go to the socket.
    socket = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.path[:] = (pathlib.Path(folder) / "path.txt").read_text().split("\n")
    from quantsearch._workers import serve

    serve(pathlib.Path(folder), int(threads), int(memory), device, socket)


if __name__ == "__main__":
    main()
