# Installs the build into a folder of its own, moves it, builds a program against it and runs both commands.
#   cmake -D BUILD=… -D SOURCE=… -D WORK=… -D COMPILER=… -D FLAGS=… -P run.cmake

function(must)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${ARGN} ended with ${code}:\n${out}")
  endif()
  set(out "${out}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${WORK})
must(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/first)
file(RENAME ${WORK}/first ${WORK}/tree)  # nothing in it may name the folder it was installed to

must(${CMAKE_COMMAND} -S ${SOURCE}/tests/install -B ${WORK}/program -G Ninja -D CMAKE_PREFIX_PATH=${WORK}/tree
  -D CMAKE_CXX_COMPILER=${COMPILER} -D CMAKE_CXX_FLAGS=${FLAGS})
must(${CMAKE_COMMAND} --build ${WORK}/program)
must(${WORK}/program/search_model ${SOURCE}/tests/data/resnet8.onnx
  ${SOURCE}/examples/fashion_mnist/calibration_100.npz ${WORK}/out)
if(NOT out MATCHES "^best of 2 is trial [01]\n$")
  message(FATAL_ERROR "the program said '${out}'")
endif()
must(${WORK}/tree/bin/quantsearch report ${WORK}/out)

file(GLOB_RECURSE licences ${WORK}/tree/share/doc/quantsearch/*)
foreach(name LICENSE onnx onnxruntime)
  if(NOT licences MATCHES "/${name}")
    message(FATAL_ERROR "no licence of ${name} among ${licences}")
  endif()
endforeach()
file(REMOVE_RECURSE ${WORK})
