# What `cmake --install` leaves: the command with its manual page and completions, two shared libraries, the headers of the
# interface, a CMake package, the licences.
# `cmake --install --component search` leaves quantsearch::search alone, with its headers.

include(CMakePackageConfigHelpers)

# quantsearch_library(TARGET NAME ROOMS room ...)
#   The rooms as one shared library lib<NAME>.so. Their objects are taken rather than their archives, so that every
#   door is in it; what comes from archives (libonnx) is not offered to others, who may have their own.
function(quantsearch_library target name)
  cmake_parse_arguments(LIBRARY "" "" "ROOMS" ${ARGN})
  add_library(${target} SHARED)
  add_library(${target}_links INTERFACE)  # linked directly, their names would be in the package, which does not find them
  target_link_libraries(${target} PRIVATE ${target}_links)
  foreach(room ${LIBRARY_ROOMS})
    get_target_property(libraries quantsearch_${room} QUANTSEARCH_LIBRARIES)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:quantsearch_${room}>)
    target_link_libraries(${target}_links INTERFACE ${libraries})
  endforeach()
  quantsearch_compile_options(${target})
  target_include_directories(${target} INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_options(${target} PRIVATE -Wl,--exclude-libs,ALL -Wl,--disable-new-dtags)
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME ${name}
    LINKER_LANGUAGE CXX
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}  # before 1.0 a minor version may change a door
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
endfunction()

# Headers of rooms; those in include/quantsearch/internal are not for users.
set(headers ${CMAKE_INSTALL_INCLUDEDIR}/quantsearch)
function(quantsearch_install_headers component)
  foreach(room ${ARGN})
    if(EXISTS ${PROJECT_SOURCE_DIR}/include/quantsearch/${room}.h)
      install(FILES include/quantsearch/${room}.h DESTINATION ${headers} COMPONENT ${component})
    endif()
    if(IS_DIRECTORY ${PROJECT_SOURCE_DIR}/include/quantsearch/${room})
      install(DIRECTORY include/quantsearch/${room} DESTINATION ${headers} COMPONENT ${component})
    endif()
  endforeach()
endfunction()

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/quantsearch)

quantsearch_library(quantsearch_search_library quantsearch_search ROOMS ${QUANTSEARCH_SEARCH_ROOMS})
add_library(quantsearch::search ALIAS quantsearch_search_library)
set_target_properties(quantsearch_search_library PROPERTIES EXPORT_NAME search
  INSTALL_RPATH_USE_LINK_PATH ON INSTALL_RPATH "$ORIGIN/quantsearch")  # libraries that an archive brings
install(TARGETS quantsearch_search_library EXPORT quantsearch_search_targets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT search)
install(EXPORT quantsearch_search_targets NAMESPACE quantsearch:: FILE quantsearch-search-targets.cmake
  DESTINATION ${package} COMPONENT search)
quantsearch_install_headers(search version ${QUANTSEARCH_SEARCH_ROOMS})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/quantsearch-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES cmake/quantsearch-config.cmake ${PROJECT_BINARY_DIR}/quantsearch-config-version.cmake
  DESTINATION ${package} COMPONENT search)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT search)
install(DIRECTORY licenses DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT search)
if(QUANTSEARCH_SEARCH_ONLY)
  return()
endif()

quantsearch_library(quantsearch_library quantsearch ROOMS ${QUANTSEARCH_MODEL_ROOMS})
add_library(quantsearch::quantsearch ALIAS quantsearch_library)
set_target_properties(quantsearch_library PROPERTIES EXPORT_NAME quantsearch)
target_link_libraries(quantsearch_library PUBLIC quantsearch_search_library)

# The runtime that set-up fetched comes along, and is found there when the library or the command needs it; one that was
# installed otherwise is used where it is.
cmake_path(IS_PREFIX QUANTSEARCH_DEPS ${ONNXRUNTIME_LIBRARY} NORMALIZE runtime_is_fetched)
if(runtime_is_fetched)
  file(REAL_PATH ${ONNXRUNTIME_LIBRARY} runtime_file)
  install(FILES ${runtime_file} DESTINATION ${QUANTSEARCH_PRIVATE_LIBRARIES} RENAME libonnxruntime.so.1)
endif()
set_target_properties(quantsearch quantsearch_library PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
set_target_properties(quantsearch_library PROPERTIES INSTALL_RPATH "$ORIGIN;$ORIGIN/quantsearch")
# RPATH, unlike RUNPATH, also holds for what the libraries that an archive brings need themselves.
cmake_path(RELATIVE_PATH QUANTSEARCH_PRIVATE_LIBRARIES BASE_DIRECTORY ${CMAKE_INSTALL_BINDIR} OUTPUT_VARIABLE from_program)
set_target_properties(quantsearch PROPERTIES INSTALL_RPATH "$ORIGIN/${from_program}")
target_link_options(quantsearch PRIVATE -Wl,--disable-new-dtags)

install(TARGETS quantsearch RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
set(about ${PROJECT_BINARY_DIR}/cli)
install(FILES ${about}/quantsearch.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${about}/quantsearch.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME quantsearch)
install(FILES ${about}/quantsearch.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(CODE "# Debian's zsh looks under /usr for the functions of packages elsewhere than other distributions' do.
  set(functions site-functions)
  if(CMAKE_INSTALL_PREFIX STREQUAL /usr)
    set(functions vendor-completions)
  endif()
  file(INSTALL ${about}/_quantsearch DESTINATION \${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}/zsh/\${functions})")
install(TARGETS quantsearch_library EXPORT quantsearch_targets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT quantsearch_targets NAMESPACE quantsearch:: FILE quantsearch-targets.cmake DESTINATION ${package})
quantsearch_install_headers(Unspecified ${QUANTSEARCH_MODEL_ROOMS})
