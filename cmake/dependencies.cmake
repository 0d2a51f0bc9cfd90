# Everything quarq is built from is a Debian package; ./dev installs them.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
# Time zones; reads the tzdata of the machine it runs on.
find_package(date REQUIRED)
