// libFuzzer's entry to cookies and dates: ./dev fuzz
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "http/client/cookies.hpp"
#include "http/client/dates.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace quarq;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  http::parse_date(text);
  static const auto from = http::parse_url("https://www.example.co.uk/a/b");
  static const auto to = http::parse_url("https://www.example.co.uk/a/b/c");
  static const auto other = http::parse_url("https://example.com/a/b");
  const auto now = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
  http::cookie_jar jar;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    jar.store(from, line, now);
    text.remove_prefix(line.size());
    if (!text.empty()) text.remove_prefix(1);
  }
  if (jar.header_for(to, now).find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) std::abort();
  // They reach no other site.
  if (!jar.header_for(other, now).empty()) std::abort();
  return 0;
}
