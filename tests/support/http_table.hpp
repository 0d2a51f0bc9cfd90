// Messages of HTTP as tables: tests/http/*.tsv.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace quarq::test {

/// The rows of tests/http/NAME, each as its columns; lines that begin with # and empty ones are left out.
std::vector<std::vector<std::string>> read_table(std::string_view name);

/// What \r \n \t \0 \\ and \xHH stand for, and {text*N}: the text N times.
std::string unescaped(std::string_view text);

}  // namespace quarq::test
