#include "http/websocket/handshake.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <quarq/errors.hpp>

#include "base/assert.hpp"
#include "http/message/characters.hpp"
#include "http/message/writer.hpp"
#include "http/websocket/extensions.hpp"

namespace quarq::http::ws {

namespace {

constexpr std::string_view version = "13";
constexpr std::size_t key_size = 16;

std::string base64_of(const unsigned char* bytes, std::size_t size) {
  std::string text(4 * ((size + 2) / 3) + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes, static_cast<int>(size));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

bool is_base64_digit(char c) {
  return detail::is_letter_or_digit(static_cast<unsigned char>(c)) || c == '+' || c == '/';
}

// Base 64 of 16 bytes: 22 digits, the last of which has four bits that are zero, and two signs of padding.
bool is_key(std::string_view text) {
  if (text.size() != 24 || !text.ends_with("==")) return false;
  if (!std::all_of(text.begin(), text.begin() + 22, is_base64_digit)) return false;
  return std::string_view("AQgw").find(text[21]) != std::string_view::npos;
}

// Whether a comma-separated list, over all fields of this name, has this element.
bool list_has(const fields& headers, std::string_view name, std::string_view element) {
  for (auto list : headers.find_all(name)) {
    while (!list.empty()) {
      if (equal_names(take_element(list), element)) return true;
    }
  }
  return false;
}

// nullopt: the client's list is malformed.
std::optional<std::vector<std::string_view>> tokens_of(const std::vector<std::string_view>& lists) {
  std::vector<std::string_view> all;
  for (auto list : lists) {
    while (!list.empty()) {
      const auto element = take_element(list);
      if (element.empty()) continue;
      const bool is_new = std::find(all.begin(), all.end(), element) == all.end();
      if (!is_token(element) || !is_new) return std::nullopt;
      all.push_back(element);
    }
  }
  return all;
}

upgrade_answer refuse(int status, std::string what) {
  upgrade_answer answer;
  answer.status = status;
  answer.what = std::move(what);
  return answer;
}

// "" if the request is one for a WebSocket (RFC 6455, 4.2.1).
upgrade_answer check_request(const upgrade_request& request) {
  const auto& headers = request.headers;
  if (request.method != "GET") {
    auto answer = refuse(405, "a WebSocket is asked for with GET");
    answer.headers.set("Allow", "GET");
    return answer;
  }
  if (request.minor_version < 1) return refuse(400, "a WebSocket needs HTTP/1.1");
  if (headers.find_all("Host").size() != 1) return refuse(400, "the request must have one field Host");
  if (!list_has(headers, "Upgrade", "websocket") || !list_has(headers, "Connection", "upgrade")) {
    auto answer = refuse(426, "this is a WebSocket: the request must ask for an upgrade to it");
    answer.headers.set("Upgrade", "websocket");
    answer.headers.set("Connection", "Upgrade");
    return answer;
  }
  const auto versions = headers.find_all("Sec-WebSocket-Version");
  if (versions.size() != 1 || versions[0] != version) {
    auto answer = refuse(426, "Sec-WebSocket-Version must be 13");
    answer.headers.set("Sec-WebSocket-Version", version);
    return answer;
  }
  const auto keys = headers.find_all("Sec-WebSocket-Key");
  if (keys.size() != 1 || !is_key(keys[0])) {
    return refuse(400, "Sec-WebSocket-Key must be 16 bytes in base 64");
  }
  if (headers.contains("Transfer-Encoding") ||
      headers["Content-Length"].find_first_not_of('0') != std::string_view::npos) {
    return refuse(400, "a request for a WebSocket must have no body");
  }
  return {};
}

bool has_default_port(std::string_view scheme, std::string_view port) {
  return (equal_names(scheme, "http") && port == "80") || (equal_names(scheme, "https") && port == "443");
}

// Without the port that the scheme has anyway.
std::string_view without_default_port(std::string_view authority, std::string_view scheme) {
  const auto colon = authority.rfind(':');
  if (colon == authority.npos || authority.find(']', colon) != authority.npos) return authority;
  return has_default_port(scheme, authority.substr(colon + 1)) ? authority.substr(0, colon) : authority;
}

}  // namespace

std::string new_key() {
  std::array<unsigned char, key_size> bytes;
  const int filled = RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
  QUARQ_ASSERT(filled == 1);
  return base64_of(bytes.data(), bytes.size());
}

std::string accept_of(std::string_view key) {
  const auto salted = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  const int done = EVP_Digest(salted.data(), salted.size(), digest.data(), &size, EVP_sha1(), nullptr);
  QUARQ_ASSERT(done == 1);
  return base64_of(digest.data(), size);
}

bool origin_is_allowed(std::string_view origin, std::string_view host, std::string_view allowed) {
  if (allowed.empty()) {
    const auto scheme_end = origin.find("://");
    if (scheme_end == origin.npos) return false;
    const auto scheme = origin.substr(0, scheme_end);
    const auto authority = origin.substr(scheme_end + 3);
    return !authority.empty() &&
           equal_names(without_default_port(authority, scheme), without_default_port(host, scheme));
  }
  while (!allowed.empty()) {
    const auto one = take_element(allowed);
    if (one == "*" || (!one.empty() && equal_names(one, origin))) return true;
  }
  return false;
}

upgrade_answer answer_upgrade(const upgrade_request& request, const websocket_options& options) {
  auto answer = check_request(request);
  if (answer.status != 101) return answer;
  const auto& headers = request.headers;
  for (const auto origin : headers.find_all("Origin")) {
    if (!origin_is_allowed(origin, headers["Host"], options.origins)) {
      return refuse(403, "pages of this origin may not connect");
    }
  }
  const auto wanted = tokens_of(headers.find_all("Sec-WebSocket-Protocol"));
  if (!wanted) return refuse(400, "Sec-WebSocket-Protocol must be a list of tokens, each once");

  answer.headers.set("Upgrade", "websocket");
  answer.headers.set("Connection", "Upgrade");
  answer.headers.set("Sec-WebSocket-Accept", accept_of(headers["Sec-WebSocket-Key"]));
  for (auto ours = options.subprotocols; !ours.empty() && answer.agreed.subprotocol.empty();) {
    const auto one = take_element(ours);
    if (std::find(wanted->begin(), wanted->end(), one) == wanted->end()) continue;
    answer.agreed.subprotocol = one;
    answer.headers.set("Sec-WebSocket-Protocol", one);
  }
  if (!options.compression) return answer;
  if (const auto accepted = choose_offer(headers.find_all("Sec-WebSocket-Extensions"))) {
    answer.agreed.compressed = accepted->agreed;
    answer.headers.set("Sec-WebSocket-Extensions", accepted->answer);
  }
  return answer;
}

fields upgrade_fields(std::string_view key, const websocket_options& options) {
  fields all;
  all.set("Upgrade", "websocket");
  all.set("Connection", "Upgrade");
  all.set("Sec-WebSocket-Key", key);
  all.set("Sec-WebSocket-Version", version);
  const auto ours = tokens_of({options.subprotocols});
  if (!ours) {
    throw usage_error("subprotocols must be a list of tokens, each once, got \"" +
                      std::string(options.subprotocols) + "\"");
  }
  if (!ours->empty()) all.set("Sec-WebSocket-Protocol", options.subprotocols);
  if (options.compression) all.set("Sec-WebSocket-Extensions", deflate_offer);
  return all;
}

upgrade_result judge_answer(int status, const fields& headers, std::string_view key,
                            const websocket_options& options) {
  const auto refuse_it = [](std::string why) { return upgrade_result{std::move(why), {}}; };
  if (status != 101) return refuse_it("the server answered " + std::to_string(status) + " rather than 101");
  const auto upgrades = headers.find_all("Upgrade");
  if (upgrades.size() != 1 || !equal_names(upgrades[0], "websocket")) {
    return refuse_it("the server's answer does not say \"Upgrade: websocket\"");
  }
  if (!list_has(headers, "Connection", "upgrade")) {
    return refuse_it("the server's answer does not say \"Connection: Upgrade\"");
  }
  const auto accepts = headers.find_all("Sec-WebSocket-Accept");
  if (accepts.size() != 1 || accepts[0] != accept_of(key)) {
    return refuse_it("Sec-WebSocket-Accept is not the answer to the key that was sent");
  }
  upgrade_result result;
  const auto protocols = headers.find_all("Sec-WebSocket-Protocol");
  if (!protocols.empty()) {
    const auto ours = tokens_of({options.subprotocols});
    const bool is_ours = ours && std::find(ours->begin(), ours->end(), protocols[0]) != ours->end();
    if (protocols.size() > 1 || !is_ours)
      return refuse_it("the server chose a subprotocol that was not offered");
    result.agreed.subprotocol = protocols[0];
  }
  const auto extensions = judge_extensions(headers.find_all("Sec-WebSocket-Extensions"), options.compression);
  result.refused = extensions.refused;
  result.agreed.compressed = extensions.agreed;
  return result;
}

}  // namespace quarq::http::ws
