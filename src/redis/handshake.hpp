// The first commands on each new connection, and what error replies mean. No I/O.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include <quarq/errors.hpp>

#include "redis/options.hpp"
#include "redis/resp.hpp"

namespace quarq::redis {

enum class error_class {
  ordinary,   ///< this request has failed, and would fail again
  not_ready,  ///< this server will accept it later, or another server will: it is loading, a replica, a
              ///< master without enough replicas, or blocked by a script
  no_script,  ///< EVALSHA of a script that the server does not have (any more)
};
error_class classify_error(std::string_view text) noexcept;
/// What an ordinary error says of the request.
broker_error::reason reason_of(std::string_view text);

/// An error reply without the arguments that the server repeats in it: one of them may be a password.
std::string without_arguments(std::string_view text);

enum class refused_by { server, sentinel };
/// An error reply as users are to read it: NOAUTH and WRONGPASS say what belongs into the URL.
std::string refusal(std::string_view text, refused_by whom);

/// AUTH with the user and the password of these options.
std::vector<std::string> auth_args(const connection_options& options);

enum class handshake_result {
  more,       ///< further replies are to come
  done,       ///< the connection is ready
  not_ready,  ///< error() says why; it may work later
  refused,    ///< error() says why; the server would refuse again
};

/// Makes the first commands of a connection, for one pipelined write, and evaluates their replies.
class handshake {
 public:
  handshake(const connection_options& options, const std::vector<std::string>& channels);

  const std::string& bytes() const noexcept { return bytes_; }

  /// Takes the next reply. Published messages are not replies. Throws protocol_error for what is no answer to
  /// the command.
  handshake_result take(const reply& r);
  const std::string& error() const noexcept { return error_; }

 private:
  struct step {
    const char* what;
    bool is_subscribe;
    bool must_succeed;
  };
  void add(step s, std::vector<std::string> args);
  const std::string password_;
  std::string bytes_;
  std::deque<step> left_;
  std::string error_;
};

}  // namespace quarq::redis
