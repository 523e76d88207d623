# Third-party packages, each linked by the room that owns it (docs/dependencies.md).
# libonnx and ONNX Runtime are looked for where scripts/setup puts them, unless the caller names another place.

if(DEFINED ENV{QUANTSEARCH_DEPS})
  set(_default_deps $ENV{QUANTSEARCH_DEPS})
else()
  set(_default_deps $ENV{HOME}/.cache/quantsearch/deps)
endif()
set(QUANTSEARCH_DEPS ${_default_deps} CACHE PATH "Where scripts/setup has put libonnx, ONNX Runtime and test models")
set(ONNXRUNTIME_ROOT "$ENV{ONNXRUNTIME_ROOT}" CACHE PATH "An ONNX Runtime to use instead (with include/ and lib/)")

# What quantsearch::search needs.
find_package(Threads REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(nlohmann_json 3.9 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(SQLite3 3.35 REQUIRED)  # RETURNING
find_package(PostgreSQL 14)  # headers of libpq; without them studies are kept in files only
find_path(XXHASH_INCLUDE_DIR xxhash.h REQUIRED)

if(PostgreSQL_FOUND)
  add_library(libpq_headers INTERFACE)  # the library itself is loaded when a program needs it (src/storage/libpq.h)
  target_include_directories(libpq_headers SYSTEM INTERFACE ${PostgreSQL_INCLUDE_DIRS})
endif()

set(QUANTSEARCH_PRIVATE_LIBRARIES ${CMAKE_INSTALL_LIBDIR}/quantsearch)  # where ONNX Runtime is installed to

# What the rooms of models and the command need.
if(NOT QUANTSEARCH_SEARCH_ONLY)
  find_package(Protobuf REQUIRED)
  find_package(ONNX CONFIG REQUIRED PATHS ${QUANTSEARCH_DEPS}/onnx)
  find_package(CLI11 REQUIRED)
  find_package(ZLIB REQUIRED)
  find_package(JPEG REQUIRED)  # libjpeg-turbo, whose header has the colour spaces with four bytes
  find_package(PNG 1.6.32 REQUIRED)  # EXIF
  find_path(WEBP_INCLUDE_DIR webp/decode.h REQUIRED)
  find_library(WEBP_LIBRARY webp REQUIRED)
  find_path(HIGHWAY_INCLUDE_DIR hwy/highway.h REQUIRED)
  find_library(HIGHWAY_LIBRARY hwy REQUIRED)

  find_path(ONNXRUNTIME_INCLUDE_DIR onnxruntime_cxx_api.h
    HINTS ${ONNXRUNTIME_ROOT}/include PATHS ${QUANTSEARCH_DEPS}/onnxruntime/include
    PATH_SUFFIXES onnxruntime onnxruntime/core/session REQUIRED)
  find_library(ONNXRUNTIME_LIBRARY onnxruntime
    HINTS ${ONNXRUNTIME_ROOT}/lib PATHS ${QUANTSEARCH_DEPS}/onnxruntime/lib REQUIRED)
  add_library(onnxruntime_headers INTERFACE)  # the library itself is loaded at run time (src/runtime/ort_library.h)
  target_include_directories(onnxruntime_headers SYSTEM INTERFACE ${ONNXRUNTIME_INCLUDE_DIR})
  target_compile_definitions(onnxruntime_headers INTERFACE ORT_API_MANUAL_INIT)
  target_link_libraries(onnxruntime_headers INTERFACE ${CMAKE_DL_LIBS})
  add_library(webp_external INTERFACE)
  target_include_directories(webp_external SYSTEM INTERFACE ${WEBP_INCLUDE_DIR})
  target_link_libraries(webp_external INTERFACE ${WEBP_LIBRARY})
  add_library(highway_external INTERFACE)
  target_include_directories(highway_external INTERFACE ${HIGHWAY_INCLUDE_DIR})
  target_link_libraries(highway_external INTERFACE ${HIGHWAY_LIBRARY})
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    # The kernels keep vectors in arrays, which those of SVE, whose size no compiler knows, cannot be in. NEON runs everywhere.
    target_compile_definitions(highway_external INTERFACE "HWY_DISABLED_TARGETS=(HWY_SVE|HWY_SVE2|HWY_SVE_256|HWY_SVE2_128)")
  endif()
endif()

if(QUANTSEARCH_BUILD_TESTS)
  find_package(GTest REQUIRED)
endif()
if(QUANTSEARCH_BUILD_BENCH)
  find_package(benchmark REQUIRED)
endif()
