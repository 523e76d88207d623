# Writes what the command prints for some arguments to a file.
#   cmake -D PROGRAM=… -D EMULATOR=… -D ARGUMENTS=… -D OUTPUT=… -P about_text.cmake

execute_process(COMMAND ${EMULATOR} ${PROGRAM} ${ARGUMENTS} OUTPUT_FILE ${OUTPUT} COMMAND_ERROR_IS_FATAL ANY)
