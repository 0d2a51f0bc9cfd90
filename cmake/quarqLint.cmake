# quarq_lint(TARGET): each build of all looks for the coroutine shapes that g++ 12 miscompiles in those sources of TARGET
# that have changed, as quarq-lint --help says. A finding is an error of the build. The target that looks is TARGET_lint.
#
# Where clang-query or Python is missing, CMake warns and nothing is checked.
# In the source tree the program stands in tools/; where quarq is installed, in the bin/ of a folder above this one.
find_program(QUARQ_LINT_PROGRAM quarq-lint NO_DEFAULT_PATH DOC "The program behind quarq_lint()"
  PATHS ${CMAKE_CURRENT_LIST_DIR}/../tools ${CMAKE_CURRENT_LIST_DIR}/../../../bin ${CMAKE_CURRENT_LIST_DIR}/../../../../bin)
find_program(QUARQ_CLANG_QUERY NAMES clang-query clang-query-19 clang-query-18 clang-query-17 clang-query-16 clang-query-15
  clang-query-14 DOC "Needed by quarq_lint()")
find_package(Python3 COMPONENTS Interpreter QUIET)

function(quarq_lint target)
  if(NOT TARGET ${target})
    message(FATAL_ERROR "quarq_lint: there is no target ${target}")
  endif()
  if(NOT QUARQ_LINT_PROGRAM OR NOT QUARQ_CLANG_QUERY OR NOT Python3_Interpreter_FOUND)
    message(WARNING "quarq_lint: ${target} is not checked: clang-query, Python 3 or quarq-lint is missing "
      "(Debian: apt-get install clang-tools-19 python3)")
    return()
  endif()
  get_target_property(sources ${target} SOURCES)
  list(FILTER sources INCLUDE REGEX "\\.(cpp|cc|cxx|c\\+\\+)$")
  get_target_property(folder ${target} SOURCE_DIR)
  set(includes $<TARGET_PROPERTY:${target},INCLUDE_DIRECTORIES>)
  set(defines $<TARGET_PROPERTY:${target},COMPILE_DEFINITIONS>)
  add_custom_target(${target}_lint ALL
    COMMAND ${Python3_EXECUTABLE} ${QUARQ_LINT_PROGRAM} ${sources} --root ${PROJECT_SOURCE_DIR}
      --cache ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${target}_lint.dir
      -- "$<$<BOOL:${includes}>:-I$<JOIN:${includes},;-I>>" "$<$<BOOL:${defines}>:-D$<JOIN:${defines},;-D>>"
    COMMAND_EXPAND_LISTS VERBATIM WORKING_DIRECTORY ${folder} COMMENT "Looking for what g++ 12 miscompiles in ${target}")
endfunction()
