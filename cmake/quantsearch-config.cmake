# find_package(quantsearch [COMPONENTS search quantsearch]): each component is a target quantsearch::COMPONENT.
#   quantsearch::search       optimizers, search spaces and studies; knows no models
#   quantsearch::quantsearch  the whole library

include(${CMAKE_CURRENT_LIST_DIR}/quantsearch-search-targets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/quantsearch-targets.cmake OPTIONAL)
foreach(_component ${quantsearch_FIND_COMPONENTS})
  if(TARGET quantsearch::${_component})
    set(quantsearch_${_component}_FOUND TRUE)
  elseif(quantsearch_FIND_REQUIRED_${_component})
    set(quantsearch_FOUND FALSE)
    set(quantsearch_NOT_FOUND_MESSAGE "quantsearch is installed without the component '${_component}'")
  endif()
endforeach()
