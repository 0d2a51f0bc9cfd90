// Files of lines NAME=value.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace quarq::validation {

struct dotenv_value {
  std::string text;
  std::size_t line = 0;  ///< from 1
};

struct dotenv {
  std::map<std::string, dotenv_value, std::less<>> values;  ///< of a name that comes twice, the last
  std::vector<std::size_t> bad_lines;
};

/// Blank lines and those that begin with # don't count; "export " before a name doesn't, either. A value may be in
/// 'single' quotes, and is then as it stands; or in "double" ones, where \n, \t, \", \$ and \\ are escapes; else it ends
/// before " #", and spaces around it don't count.
dotenv parse_dotenv(std::string_view text);

}  // namespace quarq::validation
