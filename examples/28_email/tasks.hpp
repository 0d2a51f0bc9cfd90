// What the client and the workers share.
#pragma once

#include <string>

#include <boost/describe.hpp>

#include <quarq/task.hpp>

struct email {
  std::string to;
  std::string subject;
  std::string text;
};
BOOST_DESCRIBE_STRUCT(email, (), (to, subject, text))

inline constexpr quarq::task<void(email mail)> send_email{"send_email", "mail"};
