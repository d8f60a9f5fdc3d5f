package cognito

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"hl7lake/local/wire"
)

// UserPool has the properties of AWS::Cognito::UserPool that are run here.
type UserPool struct {
	UserPoolName          string
	UsernameAttributes    []string // email, or nothing: then names can be anything
	UsernameConfiguration struct{ CaseSensitive bool }
	Schema                []Attribute
	Policies              struct{ PasswordPolicy *PasswordPolicy }
	AdminCreateUserConfig struct{ AllowAdminCreateUserOnly bool }
}

// Attribute is one of the pool's attributes of users. A custom attribute has its name
// here without custom:.
type Attribute struct {
	Name                       string
	AttributeDataType          string // String or Number
	Mutable                    *bool  // true where nil
	Required                   bool
	StringAttributeConstraints struct{ MinLength, MaxLength string }
}

// PasswordPolicy says what a password must contain.
type PasswordPolicy struct {
	MinimumLength                 int
	RequireLowercase              bool
	RequireUppercase              bool
	RequireNumbers                bool
	RequireSymbols                bool
	TemporaryPasswordValidityDays int // 7 where 0
}

// UnmarshalJSON refuses the properties that are neither run nor ignored by name.
func (p *UserPool) UnmarshalJSON(text []byte) error {
	type properties UserPool
	return wire.Properties(text, (*properties)(p), p.Ignored())
}

// Ignored are the properties that are not run here, and why not.
func (*UserPool) Ignored() wire.Ignored {
	return wire.Ignored{
		"AccountRecoverySetting":      "accounts are not recovered by mail here",
		"AutoVerifiedAttributes":      "no address is verified here: no mail is sent",
		"DeletionProtection":          "the pool lives as long as the data folder",
		"EmailVerificationMessage":    "no mail is sent here",
		"EmailVerificationSubject":    "no mail is sent here",
		"EnabledMfas":                 "a password is enough here: no second factor is asked for",
		"MfaConfiguration":            "a password is enough here: no second factor is asked for",
		"SmsVerificationMessage":      "no text message is sent here",
		"UserPoolAddOns":              "sign-ins are not judged by their risk here",
		"UserPoolTier":                "it decides what Cognito charges",
		"VerificationMessageTemplate": "no mail is sent here",
	}
}

// UserPoolClient has the properties of AWS::Cognito::UserPoolClient that are run
// here.
type UserPoolClient struct {
	ClientName                 string
	UserPoolId                 string
	ExplicitAuthFlows          []string
	GenerateSecret             bool
	AccessTokenValidity        int // 1 hour where 0
	IdTokenValidity            int // 1 hour where 0
	RefreshTokenValidity       int // 30 days where 0
	TokenValidityUnits         struct{ AccessToken, IdToken, RefreshToken string }
	AuthSessionValidity        int // minutes; 3 where 0
	ReadAttributes             []string
	WriteAttributes            []string
	PreventUserExistenceErrors string // ENABLED, LEGACY
	SupportedIdentityProviders []string

	AllowedOAuthFlowsUserPoolClient bool
	AllowedOAuthFlows               []string // code, client_credentials
	AllowedOAuthScopes              []string
	CallbackURLs                    []string
	LogoutURLs                      []string
}

// UnmarshalJSON refuses the properties that are neither run nor ignored by name.
func (c *UserPoolClient) UnmarshalJSON(text []byte) error {
	type properties UserPoolClient
	return wire.Properties(text, (*properties)(c), c.Ignored())
}

// Ignored are the properties that are not run here, and why not.
func (*UserPoolClient) Ignored() wire.Ignored {
	return wire.Ignored{
		"EnableTokenRevocation": "no token is revoked here",
	}
}

func (p UserPool) check() error {
	if len(p.UsernameAttributes) > 0 && !slices.Equal(p.UsernameAttributes, []string{"email"}) {
		return wire.UnsupportedProperty("UsernameAttributes", p.UsernameAttributes)
	}
	for _, attribute := range p.Schema {
		// Every user of a pool for e-mail addresses has one.
		if attribute.Required && (attribute.Name != "email" || len(p.UsernameAttributes) == 0) {
			return wire.UnsupportedProperty("Schema.Required", attribute.Name)
		}
		if attribute.AttributeDataType != "String" && !slices.Contains(standardAttributes(), attribute.Name) {
			return wire.UnsupportedProperty("Schema.AttributeDataType", attribute.AttributeDataType)
		}
	}
	return nil
}

func (c UserPoolClient) check() error {
	signsIn := func(flow string) bool { return flow != "ALLOW_REFRESH_TOKEN_AUTH" }
	if c.GenerateSecret && slices.ContainsFunc(c.ExplicitAuthFlows, signsIn) { // and must prove that it knows the secret
		return wire.UnsupportedProperty("GenerateSecret", true)
	}
	for _, provider := range c.SupportedIdentityProviders {
		if provider != "COGNITO" {
			return wire.UnsupportedProperty("SupportedIdentityProviders", provider)
		}
	}
	for _, flow := range c.AllowedOAuthFlows {
		if flow != "code" && flow != "client_credentials" {
			return wire.UnsupportedProperty("AllowedOAuthFlows", flow)
		}
	}
	for _, flow := range c.ExplicitAuthFlows {
		if !strings.HasPrefix(flow, "ALLOW_") {
			return wire.UnsupportedProperty("ExplicitAuthFlows", flow)
		}
	}
	return nil
}

// allows reports whether the client may use a flow. Without a list, Cognito allows the
// flows that do not send the password.
func (c UserPoolClient) allows(flow string) bool {
	if len(c.ExplicitAuthFlows) == 0 {
		return flow == "REFRESH_TOKEN_AUTH"
	}
	return slices.Contains(c.ExplicitAuthFlows, "ALLOW_"+flow)
}

// validity returns a token's life, given as a number of units.
func validity(number int, unit string, defaultUnit, byDefault time.Duration) time.Duration {
	if number == 0 {
		return byDefault
	}
	units := map[string]time.Duration{"seconds": time.Second, "minutes": time.Minute, "hours": time.Hour, "days": 24 * time.Hour}
	if d, known := units[unit]; known {
		return time.Duration(number) * d
	}
	return time.Duration(number) * defaultUnit
}

// standardAttributes are those that every pool has
// (https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html).
func standardAttributes() []string {
	return []string{"address", "birthdate", "email", "email_verified", "family_name", "gender", "given_name", "locale",
		"middle_name", "name", "nickname", "phone_number", "phone_number_verified", "picture", "preferred_username",
		"profile", "updated_at", "website", "zoneinfo"}
}

// attribute finds an attribute of the pool's schema by the name that it is used with.
func (p *pool) attribute(name string) (Attribute, bool) {
	bare, custom := strings.CutPrefix(name, "custom:")
	for _, attribute := range p.Schema {
		isStandard := slices.Contains(standardAttributes(), attribute.Name)
		if attribute.Name == bare && isStandard != custom {
			return attribute, true
		}
	}
	return Attribute{Name: name, AttributeDataType: "String"}, slices.Contains(standardAttributes(), name)
}

// conforms checks attributes that somebody wants to set against the schema.
func (p *pool) conforms(attributes map[string]string, update bool) error {
	for _, name := range sortedNames(attributes) {
		schema, known := p.attribute(name)
		if !known {
			return wire.Errorf("InvalidParameterException",
				"Attributes did not conform to the schema: %s: Attribute does not exist in the schema.\n", name)
		}
		if update && schema.Mutable != nil && !*schema.Mutable {
			return wire.Errorf("InvalidParameterException", "user.%s: Attribute cannot be updated.\n", name)
		}
		length := utf8.RuneCountInString(attributes[name])
		low, high := bound(schema.StringAttributeConstraints.MinLength, 0), bound(schema.StringAttributeConstraints.MaxLength, 2048)
		if length < low || length > high {
			return wire.Errorf("InvalidParameterException",
				"Attributes did not conform to the schema: %s: String must be between %d and %d characters long\n", name, low, high)
		}
	}
	return nil
}

func bound(text string, byDefault int) int {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	return byDefault
}

// accepts checks a password against the pool's policy.
func (p *pool) accepts(password string) error {
	policy := p.passwordPolicy()
	has := func(is func(rune) bool) bool { return strings.ContainsFunc(password, is) }
	symbol := func(r rune) bool { return strings.ContainsRune("^$*.[]{}()?-\"!@#%&/\\,><':;|_~`+= ", r) }
	for _, rule := range []struct {
		broken bool
		text   string
	}{
		{utf8.RuneCountInString(password) < policy.MinimumLength, "Password not long enough"},
		{policy.RequireLowercase && !has(unicode.IsLower), "Password must have lowercase characters"},
		{policy.RequireUppercase && !has(unicode.IsUpper), "Password must have uppercase characters"},
		{policy.RequireNumbers && !has(unicode.IsDigit), "Password must have numeric characters"},
		{policy.RequireSymbols && !has(symbol), "Password must have symbol characters"},
	} {
		if rule.broken {
			return wire.Errorf("InvalidPasswordException", "Password did not conform with policy: %s", rule.text)
		}
	}
	return nil
}

// passwordPolicy returns the pool's policy, or Cognito's default if it has none.
func (p *pool) passwordPolicy() PasswordPolicy {
	policy := PasswordPolicy{8, true, true, true, true, 7}
	if p.Policies.PasswordPolicy != nil {
		policy = *p.Policies.PasswordPolicy
	}
	if policy.TemporaryPasswordValidityDays == 0 {
		policy.TemporaryPasswordValidityDays = 7
	}
	policy.MinimumLength = max(policy.MinimumLength, 6)
	return policy
}

type listPoolsOutput struct{ UserPools []listedPool }

type listedPool struct {
	Id, Name     string
	CreationDate float64
}

func (s *Service) listUserPools(ctx context.Context, _ *struct{}) (*listPoolsOutput, error) {
	if err := s.authorize(ctx, "cognito-idp:ListUserPools", "*", nil); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	output := &listPoolsOutput{UserPools: []listedPool{}}
	for _, id := range slices.Sorted(maps.Keys(s.pools)) {
		output.UserPools = append(output.UserPools, listedPool{id, s.pools[id].UserPoolName, epoch(s.pools[id].created)})
	}
	return output, nil
}

type describePoolInput struct{ UserPoolId string }

type describePoolOutput struct{ UserPool map[string]any }

func (s *Service) describeUserPool(ctx context.Context, in *describePoolInput) (*describePoolOutput, error) {
	p, err := s.allowed(ctx, "DescribeUserPool", in.UserPoolId)
	if err != nil {
		return nil, err
	}
	return &describePoolOutput{map[string]any{
		"Id": p.id, "Arn": p.arn(), "Name": p.UserPoolName, "UsernameAttributes": p.UsernameAttributes,
		"UsernameConfiguration": p.UsernameConfiguration, "Policies": map[string]any{"PasswordPolicy": p.passwordPolicy()},
		"AdminCreateUserConfig": p.AdminCreateUserConfig, "MfaConfiguration": "OFF", "CreationDate": epoch(p.created),
	}}, nil
}

type describeClientInput struct{ UserPoolId, ClientId string }

type describeClientOutput struct{ UserPoolClient map[string]any }

func (s *Service) describeUserPoolClient(ctx context.Context, in *describeClientInput) (*describeClientOutput, error) {
	if _, err := s.allowed(ctx, "DescribeUserPoolClient", in.UserPoolId); err != nil {
		return nil, err
	}
	c, err := s.client(in.ClientId)
	if err == nil && c.pool.id != in.UserPoolId {
		err = wire.Errorf("ResourceNotFoundException", "User pool client %s does not exist.", in.ClientId)
	}
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(c.UserPoolClient)
	if err != nil {
		return nil, err
	}
	described := map[string]any{}
	if err := json.Unmarshal(text, &described); err != nil {
		return nil, err
	}
	delete(described, "GenerateSecret")
	described["ClientId"] = c.id
	if c.GenerateSecret {
		described["ClientSecret"] = c.secret()
	}
	return &describeClientOutput{described}, nil
}

// epoch is a time as the JSON protocol writes it.
func epoch(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
