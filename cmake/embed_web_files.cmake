# cmake -D "FILES=a;b" -D OUT=web_files.cpp -P: each file gzipped, as bytes in a C++ source. Which names there are, and a
# hash of all, by which browsers may keep them for ever, is in dashboard/web_files.hpp.
set(entries "")
set(arrays "")
set(all "")
set(number 0)
foreach(file ${FILES})
  get_filename_component(name ${file} NAME)
  get_filename_component(folder ${OUT} DIRECTORY)
  file(READ ${file} text)
  # What npm's packages call by a package's name is beside them here.
  string(REPLACE "from\"preact\"" "from\"./preact.mjs\"" text "${text}")
  set(plain ${folder}/web/${name})
  file(WRITE ${plain} "${text}")
  file(ARCHIVE_CREATE OUTPUT ${plain}.gz PATHS ${plain} FORMAT raw COMPRESSION GZip COMPRESSION_LEVEL 9 MTIME 0)
  file(SHA256 ${plain} hash)
  string(APPEND all "${name} ${hash}\n")
  file(READ ${plain}.gz bytes HEX)
  string(LENGTH "${bytes}" digits)
  math(EXPR size "${digits} / 2")
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(APPEND arrays "constexpr unsigned char file_${number}[] = {${bytes}};\n")
  string(APPEND entries "    {\"${name}\", {reinterpret_cast<const char*>(file_${number}), ${size}}},\n")
  math(EXPR number "${number} + 1")
endforeach()
string(SHA256 hash "${all}")
string(SUBSTRING ${hash} 0 12 hash)
file(WRITE ${OUT} "#include \"dashboard/web_files.hpp\"\n\nnamespace quarq::dashboard {\n\nnamespace {\n\n${arrays}
const web_file all_files[] = {\n${entries}};\n\n}  // namespace\n
std::span<const web_file> web_files() noexcept {\n  return all_files;\n}
std::string_view web_version() noexcept {\n  return \"${hash}\";\n}\n\n}  // namespace quarq::dashboard\n")
