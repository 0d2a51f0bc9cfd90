// What is said to a server first on each new connection, and what its error replies mean for us. No I/O.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "redis/connection.hpp"
#include "redis/resp.hpp"

namespace quarq::redis {

enum class redis_error_class {
  ordinary,   ///< this request failed, and would fail again
  not_ready,  ///< the server will take it later, or another server will (loading, a replica, a master without
              ///< enough replicas, a script that blocks it)
  no_script,  ///< EVALSHA of a script that the server has forgotten
};
redis_error_class classify_redis_error(std::string_view text) noexcept;

/// AUTH, the user and the password.
std::vector<std::string> sign_in_words(const redis_options& options);

/// The first commands of a connection, as one pipelined write, and the judge of their replies.
class redis_setup {
 public:
  redis_setup(const redis_options& options, const std::vector<const redis_script*>& scripts,
              const std::vector<std::string>& channels);

  const std::string& bytes() const noexcept { return bytes_; }

  enum class verdict {
    more,       ///< there are replies to come
    done,       ///< the connection is ready
    not_ready,  ///< error() says why; it may work later
    refused,    ///< error() says why; it would be refused again
  };
  /// Takes the next reply, in order. Messages that are published meanwhile are not replies. Throws
  /// protocol_error for what is no answer to the command.
  verdict take(const reply& r);
  const std::string& error() const noexcept { return error_; }

 private:
  struct step {
    const char* what;
    bool is_subscribe;
    bool must_succeed;
  };
  void add(step s, std::vector<std::string> words);
  std::string bytes_;
  std::deque<step> left_;
  std::string error_;
};

}  // namespace quarq::redis
