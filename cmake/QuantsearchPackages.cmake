# What `cpack` makes of an installed tree (scripts/package calls it):
#   DEB  for the distribution it was built on, whose libraries it depends on
#   TGZ  for others: with every library but those of the compiler and of C, found beside the command wherever it is unpacked
# Relocatable trees without cpack: `cmake --install build --prefix DIR`, then the same with `--component libraries`.

# quantsearch_install_libraries(TARGET KIND DESTINATION COMPONENT)
#   Installs the shared libraries that a target needs, except those that every system has. KIND: EXECUTABLES or MODULES.
function(quantsearch_install_libraries target kind destination component)
  set(folders)
  if(CMAKE_SYSROOT)
    set(folders DIRECTORIES ${CMAKE_SYSROOT}/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE} ${CMAKE_SYSROOT}/lib/${CMAKE_LIBRARY_ARCHITECTURE})
  endif()
  install(CODE "
    file(GET_RUNTIME_DEPENDENCIES ${kind} $<TARGET_FILE:${target}> ${folders}
      RESOLVED_DEPENDENCIES_VAR libraries UNRESOLVED_DEPENDENCIES_VAR missing
      PRE_EXCLUDE_REGEXES ^ld-linux ^linux-vdso ^lib[cm][.]so ^libgcc_s ^libstdc ^libpthread ^libdl ^librt)
    if(missing)
      message(FATAL_ERROR \"libraries that ${target} needs are missing: \${missing}\")
    endif()
    foreach(library \${libraries})
      get_filename_component(name \${library} NAME)
      file(REAL_PATH \${library} file)
      file(INSTALL \${file} DESTINATION \${CMAKE_INSTALL_PREFIX}/${destination} RENAME \${name})
    endforeach()" COMPONENT ${component} EXCLUDE_FROM_ALL)
endfunction()

if(QUANTSEARCH_SEARCH_ONLY)
  return()
endif()
quantsearch_install_libraries(quantsearch EXECUTABLES ${QUANTSEARCH_PRIVATE_LIBRARIES} libraries)

set(CPACK_PACKAGE_NAME quantsearch)
set(CPACK_PACKAGE_VENDOR "quantsearch developers")
set(CPACK_PACKAGE_CONTACT "quantsearch developers")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "search for the best quantization of an ONNX model")
set(CPACK_PACKAGE_DESCRIPTION
  "Given a float ONNX model and representative data, quantsearch searches the post-training\n\
quantizations for the one that keeps accuracy and costs least, measured on ONNX Runtime, which\n\
comes along. The package has the command and the C++ library with its headers.")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_GENERATOR DEB TGZ)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
string(TOLOWER ${CMAKE_SYSTEM_NAME} system)
set(CPACK_SYSTEM_NAME ${system}-${CMAKE_SYSTEM_PROCESSOR})

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS libpq5)  # loaded when a study on PostgreSQL is opened
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)  # libquantsearch
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)  # zstd, which newer systems make, is not read by older ones

set(CPACK_PROJECT_CONFIG_FILE ${PROJECT_SOURCE_DIR}/cmake/package_libraries.cmake)
include(CPack)
