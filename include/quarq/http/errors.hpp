// What can go wrong with a request, as exceptions.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <quarq/errors.hpp>
#include <quarq/http/response.hpp>

namespace quarq::http {

/// What a request was doing.
enum class request_step {
  waiting_for_a_connection,  ///< all that the pool allows are in use
  looking_up,                ///< the host's name
  connecting,
  proxy,  ///< CONNECT through a proxy
  tls,    ///< the TLS handshake
  writing,
  first_byte,  ///< waiting for the answer to begin
  reading,     ///< the rest of the answer
  redirect,    ///< following one, or refusing to
};

/// "connecting": as it stands in what().
const char* name_of(request_step step) noexcept;

/// There is no answer, or no whole one. what() is a sentence for a person, without passwords:
///     GET http://api:8080/users: connecting to 10.0.0.7:8080: Connection refused (attempt 2)
class request_error : public error {
 public:
  /// Where the request stood.
  struct position {
    request_step step = request_step::waiting_for_a_connection;
    std::string method;
    std::string url;  ///< without user and password
    std::string host;
    std::uint16_t port = 0;
    std::string address;            ///< "10.0.0.7:8080", once there is one
    int attempt = 1;                ///< counted from 1; more by retries and by connections that were dead
    bool reused = false;            ///< whether the connection had served a request before
    bool timed_out = false;         ///< whether the deadline ended it
    bool may_have_arrived = false;  ///< whether a part of the request was written
  };

  request_error(position where, std::string cause);

  request_step step() const noexcept { return where_.step; }
  const std::string& host() const noexcept { return where_.host; }
  std::uint16_t port() const noexcept { return where_.port; }
  /// "10.0.0.7:8080"; "" if there was none yet.
  const std::string& address() const noexcept { return where_.address; }
  int attempt() const noexcept { return where_.attempt; }
  /// Whether the connection had served a request before.
  bool reused() const noexcept { return where_.reused; }
  /// Whether the deadline ended it, rather than the peer or the network.
  bool timed_out() const noexcept { return where_.timed_out; }
  /// Whether the server may have got the request, or a part of it.
  bool may_have_arrived() const noexcept { return where_.may_have_arrived; }
  /// What happened, without the place: "Connection refused".
  const std::string& cause() const noexcept { return cause_; }
  const position& where() const noexcept { return where_; }

 private:
  position where_;
  std::string cause_;
};

/// An answer was to be read as a value (get<T>() and its like), but its status is not 2xx. what() has the status
/// and the first 200 bytes of the body.
class status_error : public error {
 public:
  status_error(const std::string& method, const std::string& url, response answer);
  int status() const noexcept { return answer_.status; }
  const response& answer() const noexcept { return answer_; }

 private:
  response answer_;
};

}  // namespace quarq::http
