# Installs the build into folders of its own, checks what is there, and builds and runs examples/embedding against it.
#   cmake -D BUILD=… -D SOURCE=… -D WORK=… -D COMPILER=… -D FLAGS=… -D SEARCH_ONLY=… -P run.cmake

function(must)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${ARGN} ended with ${code}:\n${out}")
  endif()
  set(out "${out}" PARENT_SCOPE)
endfunction()

function(must_say pattern)
  must(${ARGN})
  if(NOT out MATCHES "${pattern}")
    message(FATAL_ERROR "${ARGN} said '${out}', expected '${pattern}'")
  endif()
  set(out "${out}" PARENT_SCOPE)
endfunction()

# The tree is moved after it was installed: nothing in it may name the folder it was installed to.
function(install_and_build_examples name)
  must(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/first ${ARGN})
  file(RENAME ${WORK}/first ${WORK}/${name})
  must(${CMAKE_COMMAND} -S ${SOURCE}/examples/embedding -B ${WORK}/${name}-programs -G Ninja
    -D CMAKE_PREFIX_PATH=${WORK}/${name} -D CMAKE_CXX_COMPILER=${COMPILER} -D CMAKE_CXX_FLAGS=${FLAGS})
  must(${CMAKE_COMMAND} --build ${WORK}/${name}-programs)
endfunction()

function(must_not_load program)
  must(ldd ${program})
  foreach(library onnx protobuf libpq libquantsearch.so)
    if(out MATCHES "${library}")
      message(FATAL_ERROR "${program} loads ${library}:\n${out}")
    endif()
  endforeach()
endfunction()

file(REMOVE_RECURSE ${WORK})

# quantsearch::search alone.
install_and_build_examples(search --component search)
set(programs ${WORK}/search-programs)
if(EXISTS ${programs}/quantize_model)
  message(FATAL_ERROR "the component 'search' offers quantsearch::quantsearch")
endif()
must_not_load(${programs}/minimize)
must_not_load(${programs}/study)
must_say("^best of 100 is trial [0-9]+: loss [0-9.e-]+, rate 0\\.0[01][0-9]*, 3 layers, gelu\n$" ${programs}/minimize)
must_say("^20 trials, best " ${programs}/study ${WORK}/study.db 20)
must_say("^40 trials, best .*activation=gelu" ${programs}/study ${WORK}/study.db 40)

# Everything.
if(NOT SEARCH_ONLY)
  install_and_build_examples(all)
  must_say("^quantized: [0-9]+ bytes, rel_l2 [0-9.e-]+, top1 [0-9.]+\n(trial [0-9]+: [^\n]+\n)+best of 3 is trial [0-2], written to best.onnx\n$"
    ${WORK}/all-programs/quantize_model ${SOURCE}/examples/fashion_mnist/mobilenet_s.onnx
    ${SOURCE}/examples/fashion_mnist/calibration_100.npz ${SOURCE}/examples/fashion_mnist/evaluation_2000.npz ${WORK}/out)
  must(${WORK}/all/bin/quantsearch report ${WORK}/out/search)
  file(GLOB runtime ${WORK}/all/lib*/quantsearch/libonnxruntime.so.1)  # absent when it is not the one that set-up fetched
  must_say("^ONNX Runtime [0-9.]+ of ${runtime}" ${CMAKE_COMMAND} -E env --unset=ONNXRUNTIME_ROOT COLUMNS=1000
    ${WORK}/all/bin/quantsearch inspect --providers)
  must_say("^40 trials, best " ${WORK}/all-programs/study ${WORK}/study.db 40)

  foreach(file man/man1/quantsearch.1 bash-completion/completions/quantsearch zsh/site-functions/_quantsearch
      fish/vendor_completions.d/quantsearch.fish)
    if(NOT EXISTS ${WORK}/all/share/${file})
      message(FATAL_ERROR "share/${file} is not installed")
    endif()
  endforeach()
  must(bash -n ${WORK}/all/share/bash-completion/completions/quantsearch)
  file(GLOB_RECURSE licences ${WORK}/all/share/doc/quantsearch/*)
  foreach(name LICENSE onnx onnxruntime)
    if(NOT licences MATCHES "/${name}")
      message(FATAL_ERROR "no licence of ${name} among ${licences}")
    endif()
  endforeach()
endif()
file(REMOVE_RECURSE ${WORK})
