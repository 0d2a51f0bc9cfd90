// What is said to a server first on each new connection, and what its error replies mean for us. No I/O.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "redis/options.hpp"
#include "redis/resp.hpp"
#include "redis/script.hpp"

namespace quarq::redis {

enum class error_class {
  ordinary,   ///< this request failed, and would fail again
  not_ready,  ///< the server will take it later, or another server will (loading, a replica, a master without
              ///< enough replicas, a script that blocks it)
  no_script,  ///< EVALSHA of a script that the server has forgotten
};
error_class classify_error(std::string_view text) noexcept;

/// AUTH, the user and the password.
std::vector<std::string> auth_args(const connection_options& options);

enum class handshake_result {
  more,       ///< there are replies to come
  done,       ///< the connection is ready
  not_ready,  ///< error() says why; it may work later
  refused,    ///< error() says why; it would be refused again
};

/// The first commands of a connection, as one pipelined write, and the judge of their replies.
class handshake {
 public:
  handshake(const connection_options& options, const std::vector<const script*>& scripts,
            const std::vector<std::string>& channels);

  const std::string& bytes() const noexcept { return bytes_; }

  /// Takes the next reply, in order. Messages that are published meanwhile are not replies. Throws
  /// protocol_error for what is no answer to the command.
  handshake_result take(const reply& r);
  const std::string& error() const noexcept { return error_; }

 private:
  struct step {
    const char* what;
    bool is_subscribe;
    bool must_succeed;
  };
  void add(step s, std::vector<std::string> args);
  std::string bytes_;
  std::deque<step> left_;
  std::string error_;
};

}  // namespace quarq::redis
