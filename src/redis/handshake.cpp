#include "redis/handshake.hpp"

#include <utility>

namespace quarq::redis {

namespace {

constexpr std::string_view not_ready_codes[] = {"LOADING ", "MASTERDOWN ", "READONLY ", "NOREPLICAS ",
                                                "BUSY "};
// Out of memory; can't write to its disk.
constexpr std::string_view full_codes[] = {"OOM ", "MISCONF "};
// They say nothing of the request: it may be permitted, or served, later.
constexpr std::string_view unsaid_codes[] = {"NOPERM ", "NOAUTH ", "TRYAGAIN ", "CLUSTERDOWN "};
constexpr char role[] = "ROLE";

std::string without_text(std::string text, const std::string& secret) {
  if (secret.empty()) return text;
  for (auto at = text.find(secret); at != text.npos; at = text.find(secret, at + 3)) {
    text.replace(at, secret.size(), "***");
  }
  return text;
}

}  // namespace

std::string without_arguments(std::string_view text) {
  return std::string(text.substr(0, text.find(", with args beginning with")));
}

std::string refusal(std::string_view text, refused_by whom) {
  const bool by_sentinel = whom == refused_by::sentinel;
  if (text.starts_with("NOAUTH ")) {
    return by_sentinel
               ? "NOAUTH: it wants a password of its own: add sentinel_password=PASSWORD to the URL"
               : "NOAUTH: it wants a password: write redis://:PASSWORD@HOST or redis://USER:PASSWORD@HOST";
  }
  if (text.starts_with("WRONGPASS ")) {
    return std::string("WRONGPASS: it does not accept the ") +
           (by_sentinel ? "sentinel_user and sentinel_password" : "user and password") +
           " of the URL (in a URL, @ / ? # % are written as %40 %2F %3F %23 %25)";
  }
  return without_arguments(text);
}

error_class classify_error(std::string_view text) noexcept {
  if (text.starts_with("NOSCRIPT ")) return error_class::no_script;
  for (const auto code : not_ready_codes) {
    if (text.starts_with(code)) return error_class::not_ready;
  }
  // Before Redis 7 an error inside a script is wrapped: "ERR Error running script (...): @user_script:1:
  // -READONLY ...".
  const bool wrapped = text.starts_with("ERR Error running script") &&
                       (text.find(" -READONLY ") != text.npos || text.find(" -NOREPLICAS ") != text.npos);
  if (wrapped || text.starts_with("ERR max number of clients reached")) return error_class::not_ready;
  return error_class::ordinary;
}

broker_error::reason reason_of(std::string_view text) {
  using reason = broker_error::reason;
  for (const auto code : full_codes) {
    const bool wrapped =
        text.starts_with("ERR Error running script") && text.find("-" + std::string(code)) != text.npos;
    if (wrapped || text.starts_with(code)) return reason::full;
  }
  for (const auto code : unsaid_codes) {
    if (text.starts_with(code)) return reason::unknown;
  }
  return reason::refused;
}

std::vector<std::string> auth_args(const connection_options& options) {
  return {"AUTH", options.username.empty() ? "default" : options.username, options.password};
}

handshake::handshake(const connection_options& options, const std::vector<std::string>& channels)
    : password_(options.password) {
  std::vector<std::string> hello{"HELLO", "3"};
  if (!options.password.empty()) {
    const auto auth = auth_args(options);
    hello.insert(hello.end(), auth.begin(), auth.end());
  }
  add({"HELLO", false, true}, std::move(hello));
  // A user without permission to ask finds out by READONLY.
  if (!options.sentinel.hosts.empty()) add({role, false, false}, {role});
  if (options.database != 0) add({"SELECT", false, true}, {"SELECT", std::to_string(options.database)});
  // The name is for operators who read CLIENT LIST; a user without permission to set it can do everything
  // else.
  add({"CLIENT SETNAME", false, false}, {"CLIENT", "SETNAME", "quarq"});
  for (const auto& channel : channels) add({"SUBSCRIBE", true, true}, {"SUBSCRIBE", channel});
}

void handshake::add(step s, std::vector<std::string> args) {
  append_command(bytes_, args);
  left_.push_back(s);
}

handshake_result handshake::take(const reply& r) {
  if (left_.empty()) throw protocol_error("the server sent a reply that nobody asked for");
  const step now = left_.front();
  left_.pop_front();
  if (r.is_error() && now.must_succeed) {
    error_ = std::string(now.what) +
             " was refused: " + without_text(refusal(r.text, refused_by::server), password_);
    return classify_error(r.text) == error_class::not_ready ? handshake_result::not_ready
                                                            : handshake_result::refused;
  }
  const bool is_push = r.type == reply::kind::push;
  if (!r.is_error() && is_push != now.is_subscribe) {
    throw protocol_error(std::string("the server did not answer ") + now.what + " as Redis does");
  }
  if (std::string_view(now.what) == role && !r.items.empty() && r.items[0].text != "master") {
    const auto& it = r.items[0].text;
    error_ = "it is " + (it == "slave" ? std::string("a replica") : "a " + it) + ", not the master";
    return handshake_result::not_ready;
  }
  return left_.empty() ? handshake_result::done : handshake_result::more;
}

}  // namespace quarq::redis
