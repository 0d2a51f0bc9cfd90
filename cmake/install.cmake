# cmake --install: the headers, the libraries, what find_package(quarq) and pkg-config read, and the quarq command.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(quarq_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/quarq)
install(TARGETS quarq quarq_processes quarq_models quarq_http quarq_rpc quarq_metrics quarq_otlp quarq_dashboard EXPORT quarqTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
# Names that only their own source can use are an eighth of an archive; linkers need none of them.
if(CMAKE_STRIP AND CMAKE_BUILD_TYPE STREQUAL "Release")
  install(CODE "
    file(GLOB archives \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/libquarq*.a\")
    execute_process(COMMAND \"${CMAKE_STRIP}\" --strip-unneeded \${archives} COMMAND_ERROR_IS_FATAL ANY)")
endif()
install(EXPORT quarqTargets NAMESPACE quarq:: DESTINATION ${quarq_cmake_dir})
install(DIRECTORY include/quarq ${PROJECT_BINARY_DIR}/include/quarq DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
# Optional: a build of only what a program needs (--target quarq) can be installed, too.
if(TARGET quarq_command)
  install(TARGETS quarq_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} OPTIONAL)
endif()

install(PROGRAMS tools/quarq-lint DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES tools/gcc12.query DESTINATION ${CMAKE_INSTALL_DATADIR}/quarq)
# An archive has no place from which gdb would load it by itself: docs/debug.md says how to.
install(FILES share/gdb/quarq.py DESTINATION ${CMAKE_INSTALL_DATADIR}/quarq/gdb)

configure_package_config_file(cmake/quarqConfig.cmake.in ${PROJECT_BINARY_DIR}/quarqConfig.cmake
  INSTALL_DESTINATION ${quarq_cmake_dir})
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/quarqConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/quarqConfig.cmake ${PROJECT_BINARY_DIR}/quarqConfigVersion.cmake
  cmake/quarqLint.cmake DESTINATION ${quarq_cmake_dir})

# The .pc files find the installation from their own place, so that the folder can be moved.
file(RELATIVE_PATH quarq_pc_to_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
foreach(package quarq quarq-processes quarq-models quarq-http quarq-rpc quarq-metrics quarq-otlp quarq-dashboard)
  configure_file(cmake/${package}.pc.in ${PROJECT_BINARY_DIR}/${package}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${package}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
