# What `cmake --install` leaves: the command, the library in one shared file, its doors, a CMake package, the licences.

include(CMakePackageConfigHelpers)

# The rooms as one library. Their objects are taken rather than their archives, so that every door is in it; what
# comes from archives (libonnx) is not offered to others, who may have their own.
set(rooms base tensor model data runtime transform calibrate equalize quantize finetune evaluate precision pipeline optimizers search storage trials report autosearch)
add_library(quantsearch_library SHARED)
foreach(room ${rooms})
  target_sources(quantsearch_library PRIVATE $<TARGET_OBJECTS:quantsearch_${room}>)
endforeach()
add_library(quantsearch::quantsearch ALIAS quantsearch_library)
quantsearch_compile_options(quantsearch_library)
target_include_directories(quantsearch_library INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(quantsearch_library PRIVATE quantsearch_autosearch quantsearch_finetune quantsearch_storage)
target_link_options(quantsearch_library PRIVATE -Wl,--exclude-libs,ALL)
set_target_properties(quantsearch_library PROPERTIES
  OUTPUT_NAME quantsearch
  EXPORT_NAME quantsearch
  LINKER_LANGUAGE CXX
  VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}  # before 1.0 a minor version may change a door
  LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})

# The runtime that set-up fetched comes along; one that was installed otherwise is used where it is.
set(private_libraries ${CMAKE_INSTALL_LIBDIR}/quantsearch)
cmake_path(IS_PREFIX QUANTSEARCH_DEPS ${ONNXRUNTIME_LIBRARY} NORMALIZE runtime_is_fetched)
if(runtime_is_fetched)
  file(REAL_PATH ${ONNXRUNTIME_LIBRARY} runtime_file)
  install(FILES ${runtime_file} DESTINATION ${private_libraries})
endif()
foreach(target quantsearch quantsearch_library)
  if(runtime_is_fetched)
    set(path "$ORIGIN/quantsearch")
    if(target STREQUAL quantsearch)
      cmake_path(RELATIVE_PATH private_libraries BASE_DIRECTORY ${CMAKE_INSTALL_BINDIR} OUTPUT_VARIABLE from_program)
      set(path "$ORIGIN/${from_program}")
    endif()
    set_target_properties(${target} PROPERTIES INSTALL_RPATH ${path})
  else()
    set_target_properties(${target} PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
  endif()
endforeach()

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/quantsearch)
install(TARGETS quantsearch RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS quantsearch_library EXPORT quantsearch_targets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/quantsearch DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} PATTERN internal EXCLUDE)
install(EXPORT quantsearch_targets NAMESPACE quantsearch:: FILE quantsearch-config.cmake DESTINATION ${package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/quantsearch-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/quantsearch-config-version.cmake DESTINATION ${package})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY licenses DESTINATION ${CMAKE_INSTALL_DOCDIR})
