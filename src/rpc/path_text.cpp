#include "rpc/path_text.hpp"

#include "http/client/url.hpp"

namespace quarq::rpc {

std::string path_text(std::string_view name) {
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:@";
  std::string out;
  for (const char c : name) {
    if (plain.find(c) != plain.npos) {
      out += c;
    } else {
      http::append_percent(out, c);
    }
  }
  return out;
}

}  // namespace quarq::rpc
