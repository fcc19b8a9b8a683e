# PostgreSQL with pg: each line of the input is a statement; a connection that broke is opened again with a fresh token.
require 'json'
require 'net/http'
require 'pg'
require 'tempfile'

def ask(path, request_class: Net::HTTP::Get, form: nil, jwt: nil)
  uri = URI(ENV.fetch('RTV_URL') + path)
  request = request_class.new(uri)
  request['Authorization'] = "Bearer #{jwt}" if jwt
  request.set_form_data(form) if form
  answer = Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == 'https', read_timeout: 15) { |http| http.request(request) }
  words = answer.body[/\A{"type":"urn:rds-token-vendor:.*/m] # the service's own: they have the audit id
  raise "#{path}: #{answer.code} #{words}" unless answer.is_a?(Net::HTTPSuccess)
  answer.body
end

def ca_file(href)
  @ca_files ||= {}
  @ca_files[href] ||= Tempfile.new('rds-ca').tap { |file| file.write(ask(href)); file.flush }
end

def connect
  jwt = File.read(ENV.fetch('RTV_JWT_FILE')).strip # read each time: it is rotated
  form = { database: ENV.fetch('RTV_DATABASE'), user: ENV.fetch('RTV_USER') }
  answer = JSON.parse(ask('/v1/tokens', request_class: Net::HTTP::Post, form:, jwt:))
  facts = answer.fetch('connection')
  PG.connect(
    host: facts['host'], port: facts['port'], dbname: facts['database'], user: facts['user'],
    password: answer['token'], application_name: facts['application_name'],
    sslmode: 'verify-full', sslrootcert: ca_file(answer['ca_bundle']['href']).path
  )
rescue JSON::ParserError # its message quotes the answer
  raise 'the answer is cut off', cause: nil
end

connection = nil
$stdout.sync = true
$stdin.each_line(chomp: true) do |statement|
  begin
    puts (connection ||= connect).exec(statement).getvalue(0, 0)
  rescue PG::ConnectionBad, PG::UnableToSend
    raise if connection.nil?
    connection = nil
    retry
  end
end
