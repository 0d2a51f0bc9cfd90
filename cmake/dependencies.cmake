# Everything quarq is built from is a Debian package; ./dev installs them.
find_package(Threads REQUIRED)
if(POLICY CMP0167)
  cmake_policy(SET CMP0167 NEW) # Boost's own configuration files, where CMake has no module for it any more
endif()
find_package(Boost 1.81 REQUIRED COMPONENTS url)
find_package(OpenSSL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)
# Patterns of models. Debian's package has no configuration file for CMake, but one for pkg-config.
find_package(PkgConfig REQUIRED)
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET GLOBAL re2)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
# Time zones; reads the tzdata of the machine it runs on.
find_package(date REQUIRED)
