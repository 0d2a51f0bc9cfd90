# Compiles each public header of FOLDER by itself as C++17: the first thing that the compiler says must be what to do.
file(GLOB headers ${FOLDER}/quarq/*.hpp ${FOLDER}/quarq/http/*.hpp ${FOLDER}/quarq/rpc/*.hpp)
list(LENGTH headers count)
if(count LESS 60)
  message(FATAL_ERROR "there are only ${count} headers in ${FOLDER}/quarq")
endif()
foreach(header ${headers})
  execute_process(COMMAND ${COMPILER} -std=c++17 -fsyntax-only -Wfatal-errors -I${FOLDER} -x c++ ${header}
    RESULT_VARIABLE failed ERROR_VARIABLE errors)
  string(FIND "${errors}" "quarq needs C++20: compile with -std=c++20" found)
  if(NOT failed OR found EQUAL -1)
    message(SEND_ERROR "${header}, compiled as C++17, does not say that quarq needs C++20. The compiler says:\n${errors}")
  endif()
endforeach()
