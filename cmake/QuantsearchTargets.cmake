# quantsearch_room(NAME SOURCES ... [SEES room ...] [PRIVATE library ...])
#   One static library per room, named quantsearch_<room>, linked to exactly the rooms it may see.
# quantsearch_test(NAME SOURCES ... [LINKS target ...] [SHARDS count])
#   One test program per room. ctest runs it as SHARDS processes (1 when absent), each with its share of the tests:
#   starting a process for each TEST took longer than most tests. QUANTSEARCH_TEST_EACH makes each TEST a ctest.

option(QUANTSEARCH_TEST_EACH "Run every TEST as a ctest of its own" OFF)
set(QUANTSEARCH_TEST_ENVIRONMENT)  # suppressions of a sanitizer, also for programs that the tests start
if(QUANTSEARCH_SANITIZE MATCHES thread)
  set(QUANTSEARCH_TEST_ENVIRONMENT
    TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/cmake/sanitizers/races.supp:print_suppressions=0)
elseif(QUANTSEARCH_SANITIZE)
  set(QUANTSEARCH_TEST_ENVIRONMENT
    LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/cmake/sanitizers/leaks.supp:print_suppressions=0)
endif()

# quantsearch_add_test(NAME COMMAND ... [ENVIRONMENT VARIABLE=value ...])
function(quantsearch_add_test name)
  cmake_parse_arguments(TEST "" "" "COMMAND;ENVIRONMENT" ${ARGN})
  add_test(NAME ${name} COMMAND ${TEST_COMMAND})
  set_tests_properties(${name} PROPERTIES ENVIRONMENT "${QUANTSEARCH_TEST_ENVIRONMENT};${TEST_ENVIRONMENT}")
endfunction()

function(quantsearch_warning_options target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wconversion $<$<BOOL:${QUANTSEARCH_WERROR}>:-Werror>)
  # gcc fuses products and sums where the processor can, as every aarch64 can and the least x86-64 cannot; the same
  # statistics are to give the same integers on both.
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    target_compile_options(${target} PRIVATE -ffp-contract=off)
  endif()
  if(CMAKE_UNITY_BUILD)  # gcc warns of types with internal parts outside the file it was told to compile
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
endfunction()

# Rooms and programs: warnings and the sanitizer.
function(quantsearch_compile_options target)
  quantsearch_warning_options(${target})
  if(QUANTSEARCH_SANITIZE)
    quantsearch_sanitize(${target} ${QUANTSEARCH_SANITIZE})
  endif()
endfunction()

function(quantsearch_sanitize target sanitizers)
  # Instrumented code takes twice as long to compile with -O2 as with -O1.
  target_compile_options(${target} PRIVATE -fsanitize=${sanitizers} -fno-omit-frame-pointer -O1)
  # What the sanitizers put between loads and stores makes gcc see uninitialized reads where there are none.
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(${target} PUBLIC -fsanitize=${sanitizers})
endfunction()

# Tests. The thread sanitizer has to see every access; the others check the rooms alone, so that the tests need not be
# compiled a second time.
function(quantsearch_test_options target)
  if(QUANTSEARCH_SANITIZE MATCHES thread)
    quantsearch_compile_options(${target})
  else()
    quantsearch_warning_options(${target})
  endif()
  target_compile_options(${target} PRIVATE -O1)
endfunction()

# What nearly every file of the rooms and of the command includes, parsed once: two thirds of the time of a file that
# does not use a library of its own went into these headers.
set(QUANTSEARCH_COMMON_HEADERS
  <algorithm> <array> <atomic> <bit> <charconv> <chrono> <cmath> <cstdint> <cstring> <filesystem> <fstream> <functional>
  <limits> <map> <memory> <mutex> <numeric> <optional> <random> <set> <span> <sstream> <string> <string_view>
  <unordered_map> <utility> <variant> <vector> <fmt/core.h> <fmt/format.h> <fmt/ranges.h>)
function(quantsearch_room_headers)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/room_headers.cc CONTENT "")
  add_library(quantsearch_room_headers OBJECT ${PROJECT_BINARY_DIR}/room_headers.cc)
  quantsearch_compile_options(quantsearch_room_headers)
  set_target_properties(quantsearch_room_headers PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(quantsearch_room_headers PRIVATE fmt::fmt)
  target_precompile_headers(quantsearch_room_headers PRIVATE ${QUANTSEARCH_COMMON_HEADERS})
endfunction()

# Files that Highway compiles once per target cannot share a translation unit.
function(quantsearch_keep_kernels_apart)
  foreach(source ${ARGN})
    file(STRINGS ${source} kernels REGEX "include <hwy/foreach_target.h>")
    if(kernels)
      set_source_files_properties(${source} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    endif()
  endforeach()
endfunction()

function(quantsearch_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;SEES;PRIVATE" ${ARGN})
  set(target quantsearch_${name})
  quantsearch_keep_kernels_apart(${ROOM_SOURCES})
  add_library(${target} STATIC ${ROOM_SOURCES})
  quantsearch_compile_options(${target})
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_precompile_headers(${target} REUSE_FROM quantsearch_room_headers)
  target_include_directories(${target}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${PROJECT_SOURCE_DIR}/src)
  list(TRANSFORM ROOM_SEES PREPEND quantsearch_)
  target_link_libraries(${target} PUBLIC ${ROOM_SEES} PRIVATE fmt::fmt ${ROOM_PRIVATE})
  set_target_properties(${target} PROPERTIES QUANTSEARCH_LIBRARIES "fmt::fmt;${ROOM_PRIVATE}")  # for the shared library
endfunction()

# What nearly every test file includes, parsed once. Tests are compiled with -O1: they spend their time in the rooms
# and in ONNX Runtime, and building them took longer than running them.
function(quantsearch_test_headers)
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/test_headers.cc "")
  add_library(quantsearch_test_headers OBJECT ${CMAKE_CURRENT_BINARY_DIR}/test_headers.cc)
  quantsearch_test_options(quantsearch_test_headers)
  target_link_libraries(quantsearch_test_headers PRIVATE fmt::fmt GTest::gtest)
  target_precompile_headers(quantsearch_test_headers PRIVATE
    <algorithm> <cmath> <cstdint> <filesystem> <fstream> <functional> <map> <memory> <optional> <set> <span> <sstream>
    <string> <string_view> <variant> <vector> <fmt/core.h> <gtest/gtest.h>)
endfunction()

function(quantsearch_test name)
  cmake_parse_arguments(TEST "" "SHARDS" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${TEST_SOURCES})
  quantsearch_test_options(${name})
  target_precompile_headers(${name} REUSE_FROM quantsearch_test_headers)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE ${TEST_LINKS} fmt::fmt GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE
    QUANTSEARCH_SOURCE_DIR="${PROJECT_SOURCE_DIR}" QUANTSEARCH_DEPS_DIR="${QUANTSEARCH_DEPS}")
  if(QUANTSEARCH_TEST_EACH)
    gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES ENVIRONMENT "${QUANTSEARCH_TEST_ENVIRONMENT}")
    return()
  endif()
  if(NOT TEST_SHARDS)
    quantsearch_add_test(${name} COMMAND ${name})
    return()
  endif()
  math(EXPR last "${TEST_SHARDS} - 1")
  foreach(shard RANGE ${last})
    quantsearch_add_test(${name}_${shard} COMMAND ${name}
      ENVIRONMENT GTEST_TOTAL_SHARDS=${TEST_SHARDS} GTEST_SHARD_INDEX=${shard})
  endforeach()
endfunction()
