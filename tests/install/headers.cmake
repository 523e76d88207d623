# Installs the build and checks that each installed header compiles alone.
#   cmake -D BUILD=… -D SOURCE=… -D WORK=… -D COMPILER=… -D PYTHON=… -P headers.cmake

file(REMOVE_RECURSE ${WORK})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK} OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${PYTHON} ${SOURCE}/tools/check_installed_headers.py ${WORK}/include --compiler ${COMPILER}
  COMMAND_ERROR_IS_FATAL ANY)
file(REMOVE_RECURSE ${WORK})
