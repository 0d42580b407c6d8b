// Pure. The named patterns that grok knows without being told: the legacy set (field names without
// dots), as existing pipelines expect them.

const raw = String.raw

const numbers: Record<string, string> = {
  INT: raw`(?:[+-]?(?:[0-9]+))`,
  BASE10NUM: raw`(?<![0-9.+-])(?>[+-]?(?:(?:[0-9]+(?:\.[0-9]+)?)|(?:\.[0-9]+)))`,
  NUMBER: raw`(?:%{BASE10NUM})`,
  BASE16NUM: raw`(?<![0-9A-Fa-f])(?:[+-]?(?:0x)?(?:[0-9A-Fa-f]+))`,
  BASE16FLOAT: raw`\b(?<![0-9A-Fa-f.])(?:[+-]?(?:0x)?(?:(?:[0-9A-Fa-f]+(?:\.[0-9A-Fa-f]*)?)|(?:\.[0-9A-Fa-f]+)))\b`,
  POSINT: raw`\b(?:[1-9][0-9]*)\b`,
  NONNEGINT: raw`\b(?:[0-9]+)\b`,
}

const words: Record<string, string> = {
  USERNAME: raw`[a-zA-Z0-9._-]+`,
  USER: raw`%{USERNAME}`,
  EMAILLOCALPART: raw`[a-zA-Z][a-zA-Z0-9_.+-=:]+`,
  EMAILADDRESS: raw`%{EMAILLOCALPART}@%{HOSTNAME}`,
  WORD: raw`\b\w+\b`,
  NOTSPACE: raw`\S+`,
  SPACE: raw`\s*`,
  DATA: raw`.*?`,
  GREEDYDATA: raw`.*`,
  QUOTEDSTRING:
    '(?>(?<!\\\\)(?>"(?>\\\\.|[^\\\\"]+)+"|""|(?>\'(?>\\\\.|[^\\\\\']+)+\')|\'\'|(?>`(?>\\\\.|[^\\\\`]+)+`)|``))',
  QS: raw`%{QUOTEDSTRING}`,
  UUID: raw`[A-Fa-f0-9]{8}-(?:[A-Fa-f0-9]{4}-){3}[A-Fa-f0-9]{12}`,
  URN: raw`urn:[0-9A-Za-z][0-9A-Za-z-]{0,31}:(?:%[0-9a-fA-F]{2}|[0-9A-Za-z()+,.:=@;$_!*'/?#-])+`,
}

const octet = raw`(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`
const dottedQuad = raw`${octet}(\.${octet}){3}`
const hextet = raw`[0-9A-Fa-f]{1,4}`

/** One alternative per number of groups in front of `::` or of an embedded IPv4 address (RFC 4291). */
const ipv6 = [
  raw`((${hextet}:){7}(${hextet}|:))`,
  raw`((${hextet}:){6}(:${hextet}|(${dottedQuad})|:))`,
  raw`((${hextet}:){5}(((:${hextet}){1,2})|:(${dottedQuad})|:))`,
  raw`((${hextet}:){4}(((:${hextet}){1,3})|((:${hextet})?:(${dottedQuad}))|:))`,
  raw`((${hextet}:){3}(((:${hextet}){1,4})|((:${hextet}){0,2}:(${dottedQuad}))|:))`,
  raw`((${hextet}:){2}(((:${hextet}){1,5})|((:${hextet}){0,3}:(${dottedQuad}))|:))`,
  raw`((${hextet}:){1}(((:${hextet}){1,6})|((:${hextet}){0,4}:(${dottedQuad}))|:))`,
  raw`(:(((:${hextet}){1,7})|((:${hextet}){0,5}:(${dottedQuad}))|:))`,
].join('|')

const byte = raw`(?:[0-1]?[0-9]{1,2}|2[0-4][0-9]|25[0-5])`

const network: Record<string, string> = {
  MAC: raw`(?:%{CISCOMAC}|%{WINDOWSMAC}|%{COMMONMAC})`,
  CISCOMAC: raw`(?:(?:[A-Fa-f0-9]{4}\.){2}[A-Fa-f0-9]{4})`,
  WINDOWSMAC: raw`(?:(?:[A-Fa-f0-9]{2}-){5}[A-Fa-f0-9]{2})`,
  COMMONMAC: raw`(?:(?:[A-Fa-f0-9]{2}:){5}[A-Fa-f0-9]{2})`,
  IPV6: raw`(${ipv6})(%.+)?`,
  IPV4: raw`(?<![0-9])(?:${byte}[.]${byte}[.]${byte}[.]${byte})(?![0-9])`,
  IP: raw`(?:%{IPV6}|%{IPV4})`,
  HOSTNAME: raw`\b(?:[0-9A-Za-z][0-9A-Za-z-]{0,62})(?:\.(?:[0-9A-Za-z][0-9A-Za-z-]{0,62}))*(\.?|\b)`,
  IPORHOST: raw`(?:%{IP}|%{HOSTNAME})`,
  HOSTPORT: raw`%{IPORHOST}:%{POSINT}`,
}

const paths: Record<string, string> = {
  PATH: raw`(?:%{UNIXPATH}|%{WINPATH})`,
  UNIXPATH: raw`(/[[[:alnum:]]_%!$@:.,+~-]*)+`,
  TTY: raw`(?:/dev/(pts|tty([pq])?)(\w+)?/?(?:[0-9]+))`,
  WINPATH: raw`(?>[A-Za-z]+:|\\)(?:\\[^\\?*]*)+`,
  URIPROTO: raw`[A-Za-z]([A-Za-z0-9+\-.]+)+`,
  URIHOST: raw`%{IPORHOST}(?::%{POSINT:port})?`,
  URIPATH: raw`(?:/[A-Za-z0-9$.+!*'(){},~:;=@#%&_\-]*)+`,
  URIPARAM: raw`\?[A-Za-z0-9$.+!*'|(){},~@#%&/=:;_?\-\[\]<>]*`,
  URIPATHPARAM: raw`%{URIPATH}(?:%{URIPARAM})?`,
  URI: raw`%{URIPROTO}://(?:%{USER}(?::[^@]*)?@)?(?:%{URIHOST})?(?:%{URIPATHPARAM})?`,
}

const months = [
  '[Jj]an(?:uary|uar)?',
  '[Ff]eb(?:ruary|ruar)?',
  '[Mm](?:a|ä)?r(?:ch|z)?',
  '[Aa]pr(?:il)?',
  '[Mm]a(?:y|i)?',
  '[Jj]un(?:e|i)?',
  '[Jj]ul(?:y|i)?',
  '[Aa]ug(?:ust)?',
  '[Ss]ep(?:tember)?',
  '[Oo](?:c|k)?t(?:ober)?',
  '[Nn]ov(?:ember)?',
  '[Dd]e(?:c|z)(?:ember)?',
].join('|')

const times: Record<string, string> = {
  MONTH: raw`\b(?:${months})\b`,
  MONTHNUM: raw`(?:0?[1-9]|1[0-2])`,
  MONTHNUM2: raw`(?:0[1-9]|1[0-2])`,
  MONTHDAY: raw`(?:(?:0[1-9])|(?:[12][0-9])|(?:3[01])|[1-9])`,
  DAY: raw`(?:Mon(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Fri(?:day)?|Sat(?:urday)?|Sun(?:day)?)`,
  YEAR: raw`(?>\d\d){1,2}`,
  HOUR: raw`(?:2[0123]|[01]?[0-9])`,
  MINUTE: raw`(?:[0-5][0-9])`,
  SECOND: raw`(?:(?:[0-5]?[0-9]|60)(?:[:.,][0-9]+)?)`,
  TIME: raw`(?!<[0-9])%{HOUR}:%{MINUTE}(?::%{SECOND})(?![0-9])`,
  DATE_US: raw`%{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}`,
  DATE_EU: raw`%{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}`,
  ISO8601_TIMEZONE: raw`(?:Z|[+-]%{HOUR}(?::?%{MINUTE}))`,
  ISO8601_SECOND: raw`(?:%{SECOND}|60)`,
  TIMESTAMP_ISO8601: raw`%{YEAR}-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}(?::?%{SECOND})?%{ISO8601_TIMEZONE}?`,
  DATE: raw`%{DATE_US}|%{DATE_EU}`,
  DATESTAMP: raw`%{DATE}[- ]%{TIME}`,
  TZ: raw`(?:[APMCE][SD]T|UTC)`,
  DATESTAMP_RFC822: raw`%{DAY} %{MONTH} %{MONTHDAY} %{YEAR} %{TIME} %{TZ}`,
  DATESTAMP_RFC2822: raw`%{DAY}, %{MONTHDAY} %{MONTH} %{YEAR} %{TIME} %{ISO8601_TIMEZONE}`,
  DATESTAMP_OTHER: raw`%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{TZ} %{YEAR}`,
  DATESTAMP_EVENTLOG: raw`%{YEAR}%{MONTHNUM2}%{MONTHDAY}%{HOUR}%{MINUTE}%{SECOND}`,
  SYSLOGTIMESTAMP: raw`%{MONTH} +%{MONTHDAY} %{TIME}`,
  HTTPDATE: raw`%{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} %{INT}`,
}

const syslog: Record<string, string> = {
  PROG: raw`[\x21-\x5a\x5c\x5e-\x7e]+`,
  SYSLOGPROG: raw`%{PROG:program}(?:\[%{POSINT:pid}\])?`,
  SYSLOGHOST: raw`%{IPORHOST}`,
  SYSLOGFACILITY: raw`<%{NONNEGINT:facility}.%{NONNEGINT:priority}>`,
  SYSLOGBASE: raw`%{SYSLOGTIMESTAMP:timestamp} (?:%{SYSLOGFACILITY} )?%{SYSLOGHOST:logsource} %{SYSLOGPROG}:`,
  SYSLOG5424PRINTASCII: raw`[!-~]+`,
  SYSLOGBASE2: raw`(?:%{SYSLOGTIMESTAMP:timestamp}|%{TIMESTAMP_ISO8601:timestamp8601}) (?:%{SYSLOGFACILITY} )?%{SYSLOGHOST:logsource}+(?: %{SYSLOGPROG}:|)`,
  SYSLOGPAMSESSION: raw`%{SYSLOGBASE} (?=%{GREEDYDATA:message})%{WORD:pam_module}\(%{DATA:pam_caller}\): session %{WORD:pam_session_state} for user %{USERNAME:username}(?: by %{GREEDYDATA:pam_by})?`,
  CRON_ACTION: raw`[A-Z ]+`,
  CRONLOG: raw`%{SYSLOGBASE} \(%{USER:user}\) %{CRON_ACTION:action} \(%{DATA:message}\)`,
  SYSLOGLINE: raw`%{SYSLOGBASE2} %{GREEDYDATA:message}`,
  SYSLOG5424PRI: raw`<%{NONNEGINT:syslog5424_pri:int}>`,
  SYSLOG5424SD: raw`\[%{DATA}\]+`,
  SYSLOG5424BASE: raw`%{SYSLOG5424PRI}%{NONNEGINT:syslog5424_ver:int} +(?:%{TIMESTAMP_ISO8601:syslog5424_ts}|-) +(?:%{IPORHOST:syslog5424_host}|-) +(-|%{SYSLOG5424PRINTASCII:syslog5424_app}) +(-|%{SYSLOG5424PRINTASCII:syslog5424_proc}) +(-|%{SYSLOG5424PRINTASCII:syslog5424_msgid}) +(?:%{SYSLOG5424SD:syslog5424_sd}|-|)`,
  SYSLOG5424LINE: raw`%{SYSLOG5424BASE} +%{GREEDYDATA:syslog5424_msg}`,
  LOGLEVEL: raw`([Aa]lert|ALERT|[Tt]race|TRACE|[Dd]ebug|DEBUG|[Nn]otice|NOTICE|[Ii]nfo?(?:rmation)?|INFO?(?:RMATION)?|[Ww]arn?(?:ing)?|WARN?(?:ING)?|[Ee]rr?(?:or)?|ERR?(?:OR)?|[Cc]rit?(?:ical)?|CRIT?(?:ICAL)?|[Ff]atal|FATAL|[Ss]evere|SEVERE|EMERG(?:ENCY)?|[Ee]merg(?:ency)?)`,
}

const webServers: Record<string, string> = {
  HTTPDUSER: raw`%{EMAILADDRESS}|%{USER}`,
  HTTPDERROR_DATE: raw`%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{YEAR}`,
  HTTPD_COMMONLOG: raw`%{IPORHOST:clientip} %{HTTPDUSER:ident} %{HTTPDUSER:auth} \[%{HTTPDATE:timestamp}\] "(?:%{WORD:verb} %{NOTSPACE:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})" (?:%{NUMBER:response}|-) (?:%{NUMBER:bytes}|-)`,
  HTTPD_COMBINEDLOG: raw`%{HTTPD_COMMONLOG} %{QS:referrer} %{QS:agent}`,
  HTTPD20_ERRORLOG: raw`\[%{HTTPDERROR_DATE:timestamp}\] \[%{LOGLEVEL:loglevel}\] (?:\[client %{IPORHOST:clientip}\] ){0,1}%{GREEDYDATA:message}`,
  HTTPD24_ERRORLOG: raw`\[%{HTTPDERROR_DATE:timestamp}\] \[(?:%{WORD:module})?:%{LOGLEVEL:loglevel}\] \[pid %{POSINT:pid}(:tid %{NUMBER:tid})?\]( \(%{POSINT:proxy_errorcode}\)%{DATA:proxy_message}:)?( \[client %{IPORHOST:clientip}:%{POSINT:clientport}\])?( %{DATA:errorcode}:)? %{GREEDYDATA:message}`,
  HTTPD_ERRORLOG: raw`%{HTTPD20_ERRORLOG}|%{HTTPD24_ERRORLOG}`,
  COMMONAPACHELOG: raw`%{HTTPD_COMMONLOG}`,
  COMBINEDAPACHELOG: raw`%{HTTPD_COMBINEDLOG}`,
}

const java: Record<string, string> = {
  JAVACLASS: raw`(?:[a-zA-Z$_][a-zA-Z$_0-9]*\.)*[a-zA-Z$_][a-zA-Z$_0-9]*`,
  JAVAFILE: raw`(?:[A-Za-z0-9_. -]+)`,
  JAVAMETHOD: raw`(?:(<(?:cl)?init>)|[a-zA-Z$_][a-zA-Z$_0-9]*)`,
  JAVASTACKTRACEPART: raw`%{SPACE}at %{JAVACLASS:class}\.%{JAVAMETHOD:method}\(%{JAVAFILE:file}(?::%{NUMBER:line})?\)`,
  JAVATHREAD: raw`(?:[A-Z]{2}-Processor[\d]+)`,
  JAVALOGMESSAGE: raw`(.*)`,
  CATALINA_DATESTAMP: raw`%{MONTH} %{MONTHDAY}, 20%{YEAR} %{HOUR}:?%{MINUTE}(?::?%{SECOND}) (?:AM|PM)`,
  TOMCAT_DATESTAMP: raw`20%{YEAR}-%{MONTHNUM}-%{MONTHDAY} %{HOUR}:?%{MINUTE}(?::?%{SECOND}) %{ISO8601_TIMEZONE}`,
  CATALINALOG: raw`%{CATALINA_DATESTAMP:timestamp} %{JAVACLASS:class} %{JAVALOGMESSAGE:logmessage}`,
  TOMCATLOG: raw`%{TOMCAT_DATESTAMP:timestamp} \| %{LOGLEVEL:level} \| %{JAVACLASS:class} - %{JAVALOGMESSAGE:logmessage}`,
}

const haproxySource = raw`(?:%{SYSLOGTIMESTAMP:syslog_timestamp}|%{TIMESTAMP_ISO8601:timestamp8601}) %{IPORHOST:syslog_server} %{SYSLOGPROG}:`
const haproxyClient = raw`%{IP:client_ip}:%{INT:client_port} \[%{HAPROXYDATE:accept_date}\] %{NOTSPACE:frontend_name}`
const haproxyLoad = raw`%{NOTSPACE:termination_state} %{INT:actconn}/%{INT:feconn}/%{INT:beconn}/%{INT:srvconn}/%{NOTSPACE:retries} %{INT:srv_queue}/%{INT:backend_queue}`

const haproxy: Record<string, string> = {
  HAPROXYTIME: raw`(?!<[0-9])%{HOUR:haproxy_hour}:%{MINUTE:haproxy_minute}(?::%{SECOND:haproxy_second})(?![0-9])`,
  HAPROXYDATE: raw`%{MONTHDAY:haproxy_monthday}/%{MONTH:haproxy_month}/%{YEAR:haproxy_year}:%{HAPROXYTIME:haproxy_time}.%{INT:haproxy_milliseconds}`,
  HAPROXYCAPTUREDREQUESTHEADERS: raw`%{DATA:captured_request_headers}`,
  HAPROXYCAPTUREDRESPONSEHEADERS: raw`%{DATA:captured_response_headers}`,
  HAPROXYHTTPBASE: raw`${haproxyClient} %{NOTSPACE:backend_name}/%{NOTSPACE:server_name} %{INT:time_request}/%{INT:time_queue}/%{INT:time_backend_connect}/%{INT:time_backend_response}/%{NOTSPACE:time_duration} %{INT:http_status_code} %{NOTSPACE:bytes_read} %{DATA:captured_request_cookie} %{DATA:captured_response_cookie} ${haproxyLoad} (\{%{HAPROXYCAPTUREDREQUESTHEADERS}\})?( )?(\{%{HAPROXYCAPTUREDRESPONSEHEADERS}\})?( )?"(<BADREQ>|(%{WORD:http_verb} (%{URIPROTO:http_proto}://)?(?:%{USER:http_user}(?::[^@]*)?@)?(?:%{URIHOST:http_host})?(?:%{URIPATHPARAM:http_request})?( HTTP/%{NUMBER:http_version})?))?"?`,
  HAPROXYHTTP: raw`${haproxySource} %{HAPROXYHTTPBASE}`,
  HAPROXYTCP: raw`${haproxySource} ${haproxyClient} %{NOTSPACE:backend_name}/%{NOTSPACE:server_name} %{INT:time_queue}/%{INT:time_backend_connect}/%{NOTSPACE:time_duration} %{NOTSPACE:bytes_read} ${haproxyLoad}`,
  HAPROXYERROR: raw`${haproxySource} ${haproxyClient}/%{NOTSPACE:bind_name}: %{GREEDYDATA:error_message}`,
}

export const legacyPatterns: ReadonlyMap<string, string> = new Map(
  [numbers, words, network, paths, times, syslog, webServers, java, haproxy].flatMap((group) =>
    Object.entries(group),
  ),
)
