#include "broker/arq/keys.hpp"

#include <quarq/errors.hpp>

#include "codecs/utf8.hpp"

namespace quarq::broker::arq {

namespace {

constexpr std::string_view ours = ":quarq:", health_suffix = ":health-check", aborts = "arq:abort";
constexpr std::string_view taken[] = {
    "arq:job:", "arq:result:", "arq:in-progress:", "arq:retry:", "arq:quarq:"};

bool is_taken(std::string_view key) {
  if (key == aborts || key.find(ours) != std::string_view::npos) return true;
  for (const auto prefix : taken) {
    if (key.starts_with(prefix)) return true;
  }
  return false;
}

}  // namespace

void check_queue_key(std::string_view key) {
  if (key.empty()) throw usage_error("the queue's name is empty");
  if (!codecs::is_utf8(key)) {
    throw usage_error("the queue's name \"" + codecs::printable(key, 80) +
                      "\" is not UTF-8: Python's arq can't use it");
  }
  if (is_taken(key) || key.ends_with(health_suffix)) {
    throw usage_error("the queue's name \"" + codecs::printable(key, 80) +
                      "\" is one of the keys that arq or quarq use for something else");
  }
}

void check_health_key(std::string_view key) {
  if (key.empty()) throw usage_error("the key of the health record is empty");
  if (is_taken(key)) {
    throw usage_error("the key of the health record \"" + codecs::printable(key, 80) +
                      "\" is one of the keys that arq or quarq use for something else");
  }
}

std::string own_prefix(std::string_view key) {
  return std::string(key).append(ours);
}

std::string health_key(std::string_view key) {
  return std::string(key).append(health_suffix);
}

}  // namespace quarq::broker::arq
