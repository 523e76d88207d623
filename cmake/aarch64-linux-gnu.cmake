# Toolchain of the preset `aarch64`: Debian's cross compiler, the packages that `scripts/setup --cross aarch64` unpacked,
# and an emulator that runs what was built. QEMU_CPU chooses its processor: cortex-a72 has no dot products, max has all.

if(DEFINED ENV{QUANTSEARCH_DEPS})
  set(_deps $ENV{QUANTSEARCH_DEPS}/aarch64)
else()
  set(_deps $ENV{HOME}/.cache/quantsearch/deps/aarch64)
endif()
set(QUANTSEARCH_DEPS ${_deps} CACHE PATH "Where scripts/setup --cross aarch64 has put libonnx and ONNX Runtime")

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_SYSROOT ${_deps}/sysroot)
set(CMAKE_FIND_ROOT_PATH ${_deps})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L ${_deps}/sysroot)
