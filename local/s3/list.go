package s3

import (
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"go.etcd.io/bbolt"

	"hl7lake/local/wire"
)

// listing is a request to list keys, in either version of ListObjects or in
// ListObjectVersions.
type listing struct {
	prefix, delimiter, after string // keys come after after
	max                      int
	encode                   func(string) string // for keys in the answer
	encoding                 string
}

func newListing(query url.Values) (listing, error) {
	const most = 1000
	l := listing{prefix: query.Get("prefix"), delimiter: query.Get("delimiter"), max: most, encode: func(key string) string { return key }}
	if text := query.Get("max-keys"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return l, wire.Errorf("InvalidArgument", "Provided max-keys not an integer or within integer range")
		}
		l.max = min(n, most)
	}
	switch l.encoding = query.Get("encoding-type"); l.encoding {
	case "":
	case "url":
		l.encode = func(key string) string { return strings.ReplaceAll(url.QueryEscape(key), "%2F", "/") }
	default:
		return l, wire.Errorf("InvalidArgument", "Invalid Encoding Method specified in Request")
	}
	return l, nil
}

// mayList checks the permission to list, with the conditions that policies limit listing
// by.
func (s *Service) mayList(in *request, action string) error {
	conditions := map[string]string{}
	for _, parameter := range []string{"prefix", "delimiter", "max-keys"} {
		if in.query.Has(parameter) {
			conditions["s3:"+parameter] = in.query.Get(parameter)
		}
	}
	return s.may(in.Context(), action, in.bucket, "", conditions)
}

// common returns the prefix that stands for a key in the listing, if any.
func (l listing) common(key string) (prefix string, is bool) {
	if l.delimiter == "" {
		return "", false
	}
	rest := key[len(l.prefix):]
	at := strings.Index(rest, l.delimiter)
	if at < 0 {
		return "", false
	}
	return key[:len(l.prefix)+at+len(l.delimiter)], true
}

// start returns the first key to look at: after the key, or all keys under the common
// prefix, with which the last page ended.
func (l listing) start() []byte {
	if l.after < l.prefix {
		return []byte(l.prefix)
	}
	if strings.HasPrefix(l.after, l.prefix) {
		if prefix, is := l.common(l.after); is && prefix == l.after {
			return later(prefix)
		}
	}
	return append([]byte(l.after), 0x00)
}

// later returns the first key after all those that begin with prefix, which is not empty.
// Keys are UTF-8, and so never have a byte 0xff.
func later(prefix string) []byte {
	next := []byte(prefix)
	next[len(next)-1]++
	return next
}

type prefixEntry struct{ Prefix string }

type objectEntry struct {
	Key, LastModified, ETag string
	ChecksumAlgorithm       string `xml:",omitempty"`
	ChecksumType            string `xml:",omitempty"`
	Size                    int64
	StorageClass            string
}

// page is what a listing finds.
type page struct {
	objects   []objectEntry
	prefixes  []prefixEntry
	last      string // key or common prefix that the page ends with
	truncated bool
}

// objects lists current objects.
func (l listing) objects(r records) (p page, err error) {
	cursor := r.current.Cursor()
	for key, number := cursor.Seek(l.start()); key != nil && strings.HasPrefix(string(key), l.prefix); {
		if len(p.objects)+len(p.prefixes) >= l.max {
			p.truncated = l.max > 0
			return p, nil
		}
		if prefix, is := l.common(string(key)); is {
			p.prefixes = append(p.prefixes, prefixEntry{l.encode(prefix)})
			p.last = prefix
			key, number = cursor.Seek(later(prefix))
			continue
		}
		v, err := r.at(key, number)
		if err != nil {
			return p, err
		}
		p.objects = append(p.objects, l.entry(v))
		p.last = v.Key
		key, number = cursor.Next()
	}
	return p, nil
}

func (l listing) entry(v *record) objectEntry {
	return objectEntry{
		Key: l.encode(v.Key), LastModified: lastModified(v.Modified), ETag: `"` + v.ETag + `"`,
		ChecksumAlgorithm: strings.ToUpper(v.Checksum.Algorithm), ChecksumType: "FULL_OBJECT", Size: v.Size, StorageClass: "STANDARD",
	}
}

type listOutput struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	Name, Prefix          string
	Delimiter             string  `xml:",omitempty"`
	EncodingType          string  `xml:",omitempty"`
	Marker                *string // version 1 only, as is NextMarker
	NextMarker            string  `xml:",omitempty"`
	StartAfter            string  `xml:",omitempty"`
	ContinuationToken     string  `xml:",omitempty"`
	NextContinuationToken string  `xml:",omitempty"`
	KeyCount              *int    // version 2 only
	MaxKeys               int
	IsTruncated           bool
	Contents              []objectEntry
	CommonPrefixes        []prefixEntry
}

func (s *Service) listObjects(w http.ResponseWriter, in *request) error {
	if err := s.mayList(in, "ListBucket"); err != nil {
		return err
	}
	l, err := newListing(in.query)
	if err != nil {
		return err
	}
	two := in.query.Get("list-type") == "2"
	l.after = in.query.Get("marker")
	if two {
		l.after = in.query.Get("start-after")
	}
	if token := in.query.Get("continuation-token"); two && token != "" {
		after, err := base64.URLEncoding.DecodeString(token)
		if err != nil {
			return wire.Errorf("InvalidArgument", "The continuation token provided is incorrect")
		}
		l.after = string(after)
	}
	var p page
	err = s.store.View(func(tx *bbolt.Tx) error {
		p, err = l.objects(in.bucket.in(tx))
		return err
	})
	if err != nil {
		return err
	}
	out := listOutput{
		Name: in.bucket.name, Prefix: l.encode(l.prefix), Delimiter: l.encode(l.delimiter), EncodingType: l.encoding,
		MaxKeys: l.max, IsTruncated: p.truncated, Contents: p.objects, CommonPrefixes: p.prefixes,
	}
	if two {
		out.KeyCount = new(len(p.objects) + len(p.prefixes))
		out.StartAfter = l.encode(in.query.Get("start-after"))
		out.ContinuationToken = in.query.Get("continuation-token")
		if p.truncated {
			out.NextContinuationToken = base64.URLEncoding.EncodeToString([]byte(p.last))
		}
	} else {
		out.Marker = new(l.encode(l.after))
		if p.truncated && l.delimiter != "" {
			out.NextMarker = l.encode(p.last)
		}
	}
	writeXML(w, http.StatusOK, out)
	return nil
}

// versionEntry is a Version or, by its XMLName, a DeleteMarker.
type versionEntry struct {
	XMLName      xml.Name
	Key          string
	VersionId    string
	IsLatest     bool
	LastModified string
	ETag         string `xml:",omitempty"`
	Size         *int64 `xml:",omitempty"`
	StorageClass string `xml:",omitempty"`
}

type versionsOutput struct {
	XMLName             xml.Name `xml:"ListVersionsResult"`
	Name, Prefix        string
	Delimiter           string `xml:",omitempty"`
	EncodingType        string `xml:",omitempty"`
	KeyMarker           string
	VersionIdMarker     string
	NextKeyMarker       string `xml:",omitempty"`
	NextVersionIdMarker string `xml:",omitempty"`
	MaxKeys             int
	IsTruncated         bool
	Entries             []versionEntry
	CommonPrefixes      []prefixEntry
}

func (s *Service) listVersions(w http.ResponseWriter, in *request) error {
	if err := s.mayList(in, "ListBucketVersions"); err != nil {
		return err
	}
	l, err := newListing(in.query)
	if err != nil {
		return err
	}
	l.after = in.query.Get("key-marker")
	out := versionsOutput{
		Name: in.bucket.name, Prefix: l.encode(l.prefix), Delimiter: l.encode(l.delimiter), EncodingType: l.encoding,
		KeyMarker: l.encode(l.after), VersionIdMarker: in.query.Get("version-id-marker"), MaxKeys: l.max,
	}
	err = s.store.View(func(tx *bbolt.Tx) error { return l.versions(in.bucket.in(tx), &out) })
	if err != nil {
		return err
	}
	writeXML(w, http.StatusOK, out)
	return nil
}

// versions lists all versions, after out's markers.
func (l listing) versions(r records, out *versionsOutput) error {
	start := l.start()
	if out.VersionIdMarker != "" {
		marker, err := r.version(l.after, out.VersionIdMarker)
		if err != nil || marker == nil {
			return wire.Errorf("InvalidArgument", "Invalid version id specified")
		}
		start = append(versionKey(marker.Key, marker.Number), 0x00)
	} else if l.after != "" {
		start = append(start, 0x01) // after the versions of that key
	}
	cursor := r.versions.Cursor()
	var last string
	var lastID string
	for at, text := cursor.Seek(start); at != nil && strings.HasPrefix(string(at), l.prefix); {
		v, err := readRecord(at, text)
		if err != nil {
			return err
		}
		if len(out.Entries)+len(out.CommonPrefixes) >= l.max {
			out.IsTruncated, out.NextKeyMarker, out.NextVersionIdMarker = l.max > 0, l.encode(last), lastID
			return nil
		}
		if prefix, is := l.common(v.Key); is {
			out.CommonPrefixes = append(out.CommonPrefixes, prefixEntry{l.encode(prefix)})
			last, lastID = prefix, ""
			at, text = cursor.Seek(later(prefix))
			continue
		}
		newest, err := r.latest(v.Key)
		if err != nil {
			return err
		}
		out.Entries = append(out.Entries, l.version(v, newest.Number == v.Number))
		last, lastID = v.Key, v.VersionID
		at, text = cursor.Next()
	}
	return nil
}

func (l listing) version(v *record, latest bool) versionEntry {
	e := versionEntry{
		XMLName: xml.Name{Local: "DeleteMarker"}, Key: l.encode(v.Key), VersionId: v.VersionID,
		IsLatest: latest, LastModified: lastModified(v.Modified),
	}
	if !v.Marker {
		e.XMLName.Local, e.ETag, e.Size, e.StorageClass = "Version", `"`+v.ETag+`"`, &v.Size, "STANDARD"
	}
	return e
}
