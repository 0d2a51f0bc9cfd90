// libFuzzer's entry to URLs, references and NO_PROXY: ./dev fuzz
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <quarq/errors.hpp>

#include "http/client/proxy_rules.hpp"
#include "http/client/url.hpp"

namespace {

using namespace quarq;

// What is read can be written and read again, and can't split a request.
void check(const http::url& read) {
  const auto text = read.text();
  const auto splits = [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f;
  };
  if (std::any_of(text.begin(), text.end(), splits)) std::abort();
  auto again = http::parse_url(text);
  again.user = read.user;
  again.password = read.password;
  if (!(again == read)) std::abort();
}

template <class Read>
void try_reading(Read read) {
  http::url result;
  try {
    result = read();
  } catch (const usage_error&) {
    return;
  }
  check(result);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try_reading([&] { return http::parse_url(text); });
  try_reading([&] { return http::resolve_url(http::parse_url("https://example.org:8443/a/b?c"), text); });
  const http::no_proxy_list list(text);
  list.matches("www.example.org", 80);
  list.matches("10.1.2.3", 80);
  list.matches("fd00::1", 80);
  return 0;
}
