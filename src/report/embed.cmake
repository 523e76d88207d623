# cmake -D FOLDER=... -D SCRIPTS="a.js b.js" -D OUTPUT=assets.cc -P embed.cmake
#   Writes the files of the report page as string constants. Nothing but CMake is needed.

set(text "// Written by embed.cmake from the files of src/report/assets.\n\n#include \"report/assets.h\"\n\n")
string(APPEND text "namespace quantsearch::assets {\n\n")

function(embed name)
  set(content)
  foreach(file ${ARGN})
    file(READ ${FOLDER}/${file} part)
    string(APPEND content "${part}")
  endforeach()
  set(text "${text}const std::string_view ${name} = R\"asset(${content})asset\";\n\n" PARENT_SCOPE)
endfunction()

separate_arguments(SCRIPTS)
embed(kPage page.html)
embed(kStyle report.css)
embed(kCharts echarts.min.js)
embed(kScript ${SCRIPTS})
file(WRITE ${OUTPUT} "${text}}  // namespace quantsearch::assets\n")
