// What becomes of a request when the answer points elsewhere.
#pragma once

#include <string>
#include <string_view>

#include <quarq/http/fields.hpp>

#include "http/client/url.hpp"

namespace quarq::http {

struct redirect_question {
  int status = 302;
  std::string_view location;  ///< of the answer
  std::string_view method;    ///< of the request
  const url& from;
  bool has_body = false;
  bool body_can_be_sent_again = true;
};

struct redirect_decision {
  enum class kind {
    none,    ///< the answer is what the caller gets
    follow,  ///< with what stands below
    refuse,  ///< an error: `why`
  };
  kind what = kind::none;
  url to{};
  std::string method{};
  bool keeps_body = false;
  bool keeps_credentials = false;  ///< whether `to` has the origin of `from`
  std::string why{};
};

/// 301, 302 and 303 turn POST into GET, and 303 all but HEAD; 307 and 308 change nothing, so that their body must
/// be one that can be sent again. From https to http is refused.
redirect_decision decide_redirect(const redirect_question& about);

/// Removes what a request must not carry to another place: credentials when the origin changes, and the fields of
/// the body where that is left behind.
void clean_for_redirect(fields& headers, const redirect_decision& decision);

}  // namespace quarq::http
