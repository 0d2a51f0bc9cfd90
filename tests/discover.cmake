# Read by ctest, with program, name, folder and work_dir set: a test for each entry that the program lists. The program
# is asked again only when it was built again.
set(list ${work_dir}/${name}_entries.txt)
if(NOT EXISTS ${program})
  add_test(${name}_NOT_BUILT ${name}_NOT_BUILT)
  return()
endif()
if(NOT EXISTS ${list} OR ${program} IS_NEWER_THAN ${list})
  execute_process(COMMAND ${program} --list_entries ${folder}
    OUTPUT_VARIABLE listed ERROR_VARIABLE error RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${program} --list_entries ${folder} failed with ${result}: ${error}")
  endif()
  file(WRITE ${list} "${listed}")
endif()
file(STRINGS ${list} entries)
foreach(entry IN LISTS entries)
  string(REGEX MATCH "^([^\t]+)\t([0-9]+)\t([^\t]+)$" entry "${entry}")
  set(test ${folder}.${CMAKE_MATCH_1})
  # Each test has a deadline of 300 s (main/deadline.hpp); this is for when that does not end it.
  math(EXPR timeout "300 * ${CMAKE_MATCH_2} + 30")
  add_test(${test} ${program} "--gtest_filter=${CMAKE_MATCH_3}")
  set_tests_properties(${test} PROPERTIES TIMEOUT ${timeout} LABELS ${folder} SKIP_RETURN_CODE 77
    WORKING_DIRECTORY ${work_dir})
  # They wait for a minute and more, so ctest starts them first.
  if(test MATCHES "/(slow_link|server_stalled|master_stalled|sqlite_locked_by_another_program)/")
    set_tests_properties(${test} PROPERTIES COST 1000)
  endif()
endforeach()
