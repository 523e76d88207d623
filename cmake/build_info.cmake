# Writes build_info.h, which says how the command was built, and leaves it alone when nothing changed.
#   cmake -D SOURCE=… -D OUTPUT=… -D COMPILER=… -D TYPE=… -P build_info.cmake

find_program(GIT git)
set(commit "")
if(GIT AND EXISTS ${SOURCE}/.git)  # not the repository of a folder above that the sources were unpacked in
  execute_process(COMMAND ${GIT} -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
    OUTPUT_VARIABLE commit ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [[
#pragma once

namespace quantsearch::cli {

inline constexpr const char* kBuildCompiler = "@COMPILER@";
inline constexpr const char* kBuildType = "@TYPE@";
/// Ends in "-dirty" when files differed from the commit; empty: the sources were in no repository.
inline constexpr const char* kBuildCommit = "@commit@";

}  // namespace quantsearch::cli
]])
