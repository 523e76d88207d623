# Read by cpack for each kind of package: archives bring the libraries that a .deb depends on.

if(CPACK_GENERATOR STREQUAL "TGZ")
  list(GET CPACK_INSTALL_CMAKE_PROJECTS 0 build)
  list(APPEND CPACK_INSTALL_CMAKE_PROJECTS ${build} quantsearch libraries /)
endif()
