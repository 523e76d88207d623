#pragma once

// ONNX Runtime's C++ interface, over a library that is loaded at run time (ort_library.h). Include
// this header instead of onnxruntime_cxx_api.h.
//
// The interface keeps the library's functions in a static variable of an inline function. A program
// that uses the interface itself would share that variable with us, although it may have loaded
// another library, so everything that the header defines is hidden.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

// The headers above are not hidden because they are included before.
#pragma GCC visibility push(hidden)
#include <onnxruntime_cxx_api.h>
#pragma GCC visibility pop
