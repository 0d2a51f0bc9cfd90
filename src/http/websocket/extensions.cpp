#include "http/websocket/extensions.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "http/message/characters.hpp"
#include "http/message/writer.hpp"

namespace quarq::http::ws {

namespace {

constexpr std::string_view deflate_name = "permessage-deflate";
// zlib has no window of 256 bytes.
constexpr int min_window_bits = 9;

struct parameter {
  std::string_view name;
  std::optional<std::string_view> value;
};
struct extension {
  std::string_view name;
  std::vector<parameter> parameters;
};

// Takes what stands before `separator` off the text. None of the parameters of permessage-deflate needs a quoted
// string that could hold one.
std::string_view take_until(std::string_view& text, char separator) {
  const auto at = text.find(separator);
  const auto part = text.substr(0, at);
  text.remove_prefix(at == text.npos ? text.size() : at + 1);
  return base::trimmed(part);
}

std::optional<parameter> read_parameter(std::string_view text) {
  const auto equals = text.find('=');
  parameter one{base::trimmed(text.substr(0, equals)), std::nullopt};
  if (!is_token(one.name)) return std::nullopt;
  if (equals == text.npos) return one;
  auto value = base::trimmed(text.substr(equals + 1));
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
    value = value.substr(1, value.size() - 2);
  if (!is_token(value)) return std::nullopt;
  one.value = value;
  return one;
}

std::optional<extension> read_extension(std::string_view text) {
  extension one;
  one.name = take_until(text, ';');
  if (!is_token(one.name)) return std::nullopt;
  while (!text.empty()) {
    const auto parameter = read_parameter(take_until(text, ';'));
    if (!parameter) return std::nullopt;
    one.parameters.push_back(*parameter);
  }
  return one;
}

// nullopt: one of them is malformed.
std::optional<std::vector<extension>> read_extensions(const std::vector<std::string_view>& values) {
  std::vector<extension> all;
  for (auto value : values) {
    while (!value.empty()) {
      const auto element = take_element(value);
      if (element.empty()) continue;
      auto one = read_extension(element);
      if (!one) return std::nullopt;
      all.push_back(std::move(*one));
    }
  }
  return all;
}

// 8 to 15, without leading zeros; nullopt otherwise.
std::optional<int> window_bits_of(std::string_view text) {
  if (text == "8" || text == "9") return text[0] - '0';
  if (text.size() == 2 && text[0] == '1' && text[1] >= '0' && text[1] <= '5') return 10 + (text[1] - '0');
  return std::nullopt;
}

// The parameters of permessage-deflate; each at most once, and none that is unknown.
struct deflate_parameters {
  bool client_no_context_takeover = false;
  bool server_no_context_takeover = false;
  std::optional<int> server_bits;
  std::optional<int> client_bits;
  bool has_client_bits = false;  // in an offer, without a value, it only says that the client understands it
};

std::optional<deflate_parameters> read_deflate(const extension& from, bool is_offer) {
  deflate_parameters all;
  const auto set_flag = [](bool& flag, const parameter& one) {
    return !one.value && !std::exchange(flag, true);
  };
  const auto set_bits = [](std::optional<int>& bits, const parameter& one) {
    if (bits || !one.value) return false;
    bits = window_bits_of(*one.value);
    return bits.has_value();
  };
  for (const auto& one : from.parameters) {
    bool good = false;
    if (one.name == "client_no_context_takeover") good = set_flag(all.client_no_context_takeover, one);
    if (one.name == "server_no_context_takeover") good = set_flag(all.server_no_context_takeover, one);
    if (one.name == "server_max_window_bits") good = set_bits(all.server_bits, one);
    if (one.name == "client_max_window_bits") {
      const bool is_first = !std::exchange(all.has_client_bits, true);
      good = is_first && ((is_offer && !one.value) || set_bits(all.client_bits, one));
    }
    if (!good) return std::nullopt;
  }
  return all;
}

}  // namespace

std::optional<accepted_offer> choose_offer(const std::vector<std::string_view>& values) {
  const auto offers = read_extensions(values);
  if (!offers) return std::nullopt;
  for (const auto& offer : *offers) {
    if (!equal_names(offer.name, deflate_name)) continue;
    const auto wanted = read_deflate(offer, true);
    if (!wanted || wanted->server_bits.value_or(15) < min_window_bits) continue;
    accepted_offer accepted;
    accepted.answer = deflate_offer;
    if (wanted->server_bits) {
      accepted.agreed.window_bits = *wanted->server_bits;
      accepted.answer += "; server_max_window_bits=" + std::to_string(*wanted->server_bits);
    }
    return accepted;
  }
  return std::nullopt;
}

judged_extensions judge_extensions(const std::vector<std::string_view>& values, bool offered) {
  const auto extensions = read_extensions(values);
  if (!extensions) return {"Sec-WebSocket-Extensions is malformed", {}};
  if (extensions->empty()) return {};
  const auto& first = extensions->front();
  if (!offered || extensions->size() > 1 || !equal_names(first.name, deflate_name)) {
    return {"the server uses an extension that was not offered", {}};
  }
  const auto agreed = read_deflate(first, false);
  // client_max_window_bits was not offered, so the server must not ask for it.
  if (!agreed || agreed->has_client_bits)
    return {"permessage-deflate has parameters that were not offered", {}};
  if (!agreed->server_no_context_takeover)
    return {"the server does not agree to server_no_context_takeover", {}};
  return {"", compression{}};
}

}  // namespace quarq::http::ws
